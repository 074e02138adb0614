/* Pieces of a container that the list and inspect both show, in docker's shapes. */
#pragma once

#include "base/buf.h"
#include "engine/container.h"

/* "NetworkSettings"'s map of networks. */
void shape_networks(struct buf *b, const struct container *c);
char *shape_endpoint_id(const struct container *c, const struct endpoint *ep,
			char out[CONTAINER_ID_LEN + 1]); /* of one that lives */
char *shape_mac(const struct endpoint *ep, char out[18]);
void shape_mounts(struct buf *b, const struct container *c);
const char *shape_network_mode(const struct container *c);

/* Host port of spec.ports[i] as it is now; 0: none yet. */
unsigned shape_host_port(const struct container *c, size_t i);
