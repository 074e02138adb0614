/* The networks that containers can be on: "bridge", "host" and "none", which every machine has, and
 * those that people make. One of people's is NETWORKS/ID.json, written before its link is made and
 * taken away after it, so that no link is ever without a record. Names are docker's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/container.h"
#include "net/bridge.h"
#include "net/pool.h"
#include "spec/record.h"

struct engine;

struct network {
	/* On disk. */
	char *id;                   /* 64 digits */
	char *name;
	int64_t created_ns;
	bool internal, attachable;
	char *link;                 /* name of the bridge */
	char *subnet, *gateway;     /* "10.99.0.0/24", "10.99.0.1" */
	char *ip_range;             /* NULL: all of the subnet */
	int64_t mtu;                /* 0: the kernel's */
	struct string_map labels, options;

	/* While it is handled. */
	const char *driver;         /* "bridge", "host", "null" */
	bool builtin;
	bool ready;                 /* link and pool are there */
	struct bridge bridge;
	struct pool pool;
};

void network_clear(struct network *n); /* frees what it owns, not itself */
void network_free(struct network *n);

/* The three, then what is on disk; a file that cannot be read is told and left. 0 or -ENOMEM. */
int networks_load(struct engine *en);
void networks_free(struct engine *en);

/* By name, id, or an id's beginning. -ENOENT "network x not found". */
int network_find(const struct engine *en, const char *text, struct network **out, struct err *e);

/* Made of what `asked` says (name, internal, subnet ...; its members are taken over): the rest is
 * chosen, on disk, and the link made. -EEXIST: the name is in use; -EINVAL: it makes no sense;
 * -EACCES: its subnet clashes with another's, or with a route of the host. */
int network_create(struct engine *en, struct network *asked, struct network **out, struct err *e);

/* -EACCES: one of the three, or a container that lives is on it. */
int network_remove(struct engine *en, struct network *n, struct err *e);

/* Link and pool are there. 0 or -errno. */
int network_ensure(struct engine *en, struct network *n, struct err *e);

/* The container's part of it while it lives, or NULL. */
const struct endpoint *network_endpoint(const struct network *n, const struct container *c);
/* By a container, live or not. */
bool network_wanted(const struct engine *en, const struct network *n);

/* A container that lives is wired at once; on disk before it returns. `asked` is copied, its name
 * not looked at. 0 or -errno with docker's sentence. */
int engine_connect(struct container *c, struct network *n, const struct spec_network *asked,
		   struct err *e);
int engine_disconnect(struct container *c, struct network *n, struct err *e);

/* What its default route is by and its ports lead to; NULL: none, or it does not live. */
const struct endpoint *network_gateway(const struct container *c);
void endpoint_mac(const struct endpoint *ep, uint8_t mac[6]);
int mac_parse(const char *text, uint8_t mac[6]); /* "02:42:ac:11:00:02". 0 or -EINVAL */

/* What the firewall has to know. Returns the rows, of networks that are ready; NULL: no memory. */
struct rule_network *networks_rules(const struct engine *en, size_t *count);

/* docker's event of a network; `c` NULL: of the network alone. */
void network_event(struct engine *en, const struct network *n, const char *action,
		   const struct container *c);
