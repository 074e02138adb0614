/* The bodies of /networks as structs, by the tables of body.h. Pure. */
#pragma once

#include <stddef.h>

#include "api/body.h"
#include "base/err.h"
#include "engine/networks.h"

/* POST /networks/create: what the engine's network_create() takes. To be freed with
 * network_clear() in any case. */
int body_network_read(struct network *out, const char *json, size_t len, struct err *e);

/* POST /networks/{}/connect and disconnect. */
struct body_connect {
	char *container;
	struct spec_network asked;
	bool force; /* of disconnect: nothing more to do for it here */
};

int body_connect_read(struct body_connect *out, const char *json, size_t len, struct err *e);
void body_connect_free(struct body_connect *c);
