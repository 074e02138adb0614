/* The bridges that containers hang on, one per network, and their ends of the wires. All calls are
 * short exchanges with the kernel over rtnetlink. The host's end of container ID's wire is "vb" and
 * the first 12 digits of ID, and for all but its first wire one character more, so that leftovers
 * are recognised by name. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/netlink.h"
#include "net/pool.h"

struct bridge {
	struct netlink *nl;      /* the engine's, for all bridges */
	char name[IFNAMSIZ];
	int index;               /* 0: not there yet */
	struct subnet subnet;
	uint32_t gateway;        /* its own address */
	unsigned mtu;            /* 0: the kernel's */
};

/* The subnet to use for b->name: that of the link if it is there already (its containers live),
 * else one that overlaps no route of the host and none of `more`. 0 or -errno. */
int bridge_choose(struct bridge *b, const struct subnet *more, size_t count, struct err *e);

/* What the routes of the host cover, those over `except` (NULL: none) left out. */
size_t bridge_routes(const char *except, struct subnet *out, size_t max);

/* Makes the link and gives it the gateway's address and the MTU. Again is fine. */
int bridge_ensure(struct bridge *b, struct err *e);
int bridge_remove(struct bridge *b, struct err *e); /* not there is no error */

/* Turns forwarding on. `mark` is a file that remembers until reboot that it was off before, which
 * `*ours` says. */
int bridge_forward(const char *mark, bool *ours, struct err *e);

/* 127.0.0.1:PORT of the host leads to a container only with route_localnet on the bridge. */
int bridge_route_localnet(const struct bridge *b, struct err *e);

enum { WIRES_MAX = 36 }; /* of one container */

/* One wire: ethSLOT in the namespace behind `netns_fd`, its other end in a bridge. */
struct wire {
	const char *id;          /* the container's */
	unsigned slot;           /* below WIRES_MAX */
	int netns_fd;
	uint32_t ip;
	uint8_t mac[6];
	bool guarded;            /* nothing comes out of it that has another address or MAC */
};

void bridge_link_name(const char *id, unsigned slot, char out[IFNAMSIZ]);
void bridge_mac(uint32_t ip, uint8_t mac[6]); /* 02:42 and the address, as docker derives it */

/* Brings lo up as well. A link of this container from before is replaced. */
int bridge_attach(struct bridge *b, const struct wire *w, struct err *e);

/* The namespace's one default route: by `gateway` over ethSLOT; 0: none. */
int bridge_default_route(int netns_fd, unsigned slot, uint32_t gateway, struct err *e);

/* Not there is no error. */
int bridge_detach(struct netlink *nl, const char *id, unsigned slot, struct err *e);

/* Removes the links of containers that `in_use` does not know. Returns how many, or -errno. */
int bridge_repair(struct netlink *nl, bool (*in_use)(const char *link, void *arg), void *arg,
		  struct err *e);
