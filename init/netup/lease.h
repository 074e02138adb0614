/* What a DHCP server said, as udhcpc and udhcpc6 hand it over in environment variables. The server
 * may be anybody on the wire: every value is checked here, and nothing else reads the environment.
 * Source: busybox udhcpc's script interface; RFC 2131, 2132, 3397 (search), 3442 (routes), 8415
 * (IPv6). */
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
	struct netlink_addr address; /* IPv6: family 0 if the server gives name servers alone */
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

enum lease_state {
	LEASE_ASKING,    /* the client asks */
	LEASE_NO_ANSWER, /* it asks on, nobody has answered so far */
	LEASE_BOUND,     /* it has a lease */
};

/* The file of one link and family: what the client's last event said. A lease outlives a client
 * that is started anew, until its time is over. */
struct lease_file {
	enum lease_state state;
	bool valid;       /* there is a lease, and its time is not over */
	int64_t until_ms; /* clock_boot_ms(); 0: for ever */
	struct lease lease;
};

/* `environment` as in environ, `family` AF_INET or AF_INET6. No usable address is -EINVAL with `e`
 * (IPv6: and no name server either); any other value that is wrong is left out and named in
 * `ignored`, one sentence per line. */
int lease_read(char *const *environment, int family, struct lease *out, struct buf *ignored,
	       struct err *e);

/* Adds "dns" and "search" of the environment, and nothing else. */
void lease_add_names(char *const *environment, struct lease *l, struct buf *ignored);

/* "ens3", "eth0.5": what the kernel may have called a link, and no path. */
bool lease_is_link_name(const char *name);

/* ---- lease_file.c; `dir` is a parameter for the tests: NETUP_LEASES ---- */
int lease_save(const char *dir, const char *link, int family, const struct lease_file *f,
	       struct err *e);
/* What is not there, or not readable, is asking without a lease. */
void lease_load(const char *dir, const char *link, int family, struct lease_file *out);
void lease_remove(const char *dir, const char *link, int family);
