/* The bridge that containers hang on, and their ends of the wire. All calls are short exchanges
 * with the kernel over rtnetlink. The link of container ID is "vb" and the first 12 digits of
 * ID, so that leftovers are recognised by name. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/netlink.h"
#include "net/pool.h"

struct bridge {
	struct netlink *nl;
	char name[IFNAMSIZ];
	int index;               /* 0: not there yet */
	struct subnet subnet;
	bool forwarding_is_ours; /* ip_forward was off until we turned it on */
};

/* The subnet to use: that of the bridge if it is there already (its containers live), else one
 * that no route of the host overlaps. 0 or -errno. */
int bridge_choose(struct bridge *b, const char *name, struct err *e);

/* Makes the link, gives it the gateway's address, turns forwarding on. `mark` is a file that
 * remembers, until reboot, that forwarding is ours. Again is fine. */
int bridge_ensure(struct bridge *b, const char *mark, struct err *e);
void bridge_close(struct bridge *b);

/* 127.0.0.1:PORT of the host leads to a container only with route_localnet on the bridge. */
int bridge_route_localnet(const struct bridge *b, struct err *e);

void bridge_link_name(const char *id, char out[IFNAMSIZ]);
void bridge_mac(uint32_t ip, uint8_t mac[6]); /* 02:42 and the address, as docker derives it */

/* eth0 with `ip` and the default route in the namespace behind `netns_fd`, its other end in the
 * bridge; brings lo up as well. A link of this container from before is replaced. */
int bridge_attach(struct bridge *b, const char *id, int netns_fd, uint32_t ip, struct err *e);

/* Not there is no error. */
int bridge_detach(struct bridge *b, const char *id, struct err *e);

/* Removes the links of containers that `in_use` does not know. Returns how many, or -errno. */
int bridge_repair(struct bridge *b, bool (*in_use)(const char *link, void *arg), void *arg,
		  struct err *e);
