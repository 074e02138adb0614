/* What a DHCP server said, as udhcpc hands it over in environment variables. The server may be
 * anybody on the wire: every value is checked here, and nothing else reads the environment.
 * Source: busybox udhcpc's script interface; RFC 2131, 2132, 3397 (search), 3442 (routes). */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/netlink.h"

enum { LEASE_ROUTES_MAX = 32, LEASE_HOSTS_MAX = 6, LEASE_NAMES_MAX = 6, LEASE_NAME_LEN = 254 };

struct lease_route {
	struct netlink_addr to;  /* family 0: default */
	struct netlink_addr via; /* family 0: on link */
};

struct lease {
	char link[IFNAMSIZ];
	struct netlink_addr address;
	struct netlink_addr server; /* family 0: not said */
	struct lease_route routes[LEASE_ROUTES_MAX];
	size_t route_count;
	struct netlink_addr dns[LEASE_HOSTS_MAX];
	size_t dns_count;
	struct netlink_addr ntp[LEASE_HOSTS_MAX];
	size_t ntp_count;
	char search[LEASE_NAMES_MAX][LEASE_NAME_LEN]; /* the domain first */
	size_t search_count;
	unsigned mtu;     /* 0: not said */
	unsigned seconds; /* 0: not said */
};

/* `environment` as in environ. An address that is missing or wrong is -EINVAL with `e`; any other
 * value that is wrong is left out and named in `ignored`, one sentence per line. */
int lease_read(char *const *environment, struct lease *out, struct buf *ignored, struct err *e);

/* "ens3", "eth0.5": what the kernel may have called a link, and no path. */
bool lease_is_link_name(const char *name);
