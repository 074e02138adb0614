/* Links, addresses, routes, rules and neighbours over rtnetlink (base/nlmsg.h). A handle is one
 * socket and belongs to the network namespace in which it was opened, wherever the process goes.
 * Calls block for the kernel's answer, which it gives at once. A callback must not use the handle
 * that calls it (-EBUSY); it may use another. "add" of what is already there,
 * and "del" of what is not, are no errors. Returns 0 or -errno with a sentence in `e`.
 * Source: rtnetlink(7), linux/if_link.h, linux/rtnetlink.h. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct netlink;

#define autonetlink __attribute__((cleanup(netlink_cleanup)))

int netlink_open(struct netlink **out, struct err *e);

/* Calls `fn` in the namespace behind `netns_fd` (/proc/PID/ns/net), and returns what it returns.
 * Goes there with setns and comes back, so the caller must be single-threaded. */
typedef int netns_fn(void *arg, struct err *e);
int netns_run(int netns_fd, netns_fn *fn, void *arg, struct err *e);

/* A handle for that namespace. */
int netlink_open_in(int netns_fd, struct netlink **out, struct err *e);

/* A handle that receives the changes of links (see netlink_monitor_read). */
int netlink_monitor_open(struct netlink **out, struct err *e);
void netlink_close(struct netlink *nl); /* NULL is fine */
void netlink_cleanup(struct netlink **nl);
int netlink_fd(const struct netlink *nl); /* for epoll; stays owned by the handle */

/* ---- links ---- */
struct netlink_link {
	int index;
	int master;          /* index of the bridge or bond it is in; 0: none */
	unsigned hw_type;    /* ARPHRD_* */
	unsigned flags;      /* IFF_* */
	unsigned mtu;
	bool carrier;
	uint32_t carrier_changes; /* counts: one that went and came back between two looks shows */
	bool gone;           /* only from the monitor: the link was removed */
	uint8_t mac[6];      /* zero if it has none of that length */
	uint8_t own_mac[6];  /* the card's own, whatever it uses now; as mac where nobody says */
	char name[IFNAMSIZ];
	char kind[16];       /* "bridge", "veth", "tun" ...; empty: a device */
	char alias[16];      /* begins with it; empty: none */
	bool asks_managed, asks_other; /* a router's advertisement: use DHCPv6 (only where said) */
};

typedef void netlink_link_fn(const struct netlink_link *link, void *arg);

int netlink_links(struct netlink *nl, netlink_link_fn *fn, void *arg, struct err *e);
int netlink_link_get(struct netlink *nl, const char *name, struct netlink_link *out,
		     struct err *e); /* not there: -ENODEV */

/* Calls `fn` for each change that waits on a monitor handle; without a name: something of the
 * link's IPv6 side changed (a router said something). -ENOBUFS: changes were lost, look at all
 * links again. */
int netlink_monitor_read(struct netlink *nl, netlink_link_fn *fn, void *arg, struct err *e);

/* IPv6's view of the links: asks_managed and asks_other are filled, nothing but the index else. */
int netlink_links_ipv6(struct netlink *nl, netlink_link_fn *fn, void *arg, struct err *e);

int netlink_bridge_add(struct netlink *nl, const char *name, struct err *e);

/* A veth pair: `name` here and `peer` in the namespace `peer_netns_fd` (-1: here too).
 * mtu 0: the kernel's. An existing `name` is -EEXIST. */
struct netlink_veth {
	const char *name;
	const char *peer;
	int peer_netns_fd;
	unsigned mtu;
	const uint8_t *mac;      /* 6 bytes; NULL: random */
	const uint8_t *peer_mac; /* 6 bytes; NULL: random */
};
int netlink_veth_add(struct netlink *nl, const struct netlink_veth *veth, struct err *e);

/* One attribute of a kind of link (IFLA_BOND_*, IFLA_BR_* ...), of 1, 2, 4 or 8 bytes. Neighbours
 * with the same `nest` stand in that attribute. */
struct netlink_option {
	uint16_t type, nest; /* nest 0: none */
	uint8_t size;
	uint64_t value;
};

/* A new link. An existing `name` is -EEXIST. */
struct netlink_make {
	const char *name;
	const char *kind;  /* "bond", "vlan", "dummy" ... */
	int lower;         /* index of the link that carries it; 0: none */
	const uint8_t *mac;
	const struct netlink_option *options;
	size_t option_count;
};
int netlink_link_make(struct netlink *nl, const struct netlink_make *make, struct err *e);

/* Changes options of a link of this kind; of a bridge's port (IFLA_BRPORT_*). */
int netlink_link_set(struct netlink *nl, int index, const char *kind,
		     const struct netlink_option *options, size_t count, struct err *e);
int netlink_port_set(struct netlink *nl, int index, const struct netlink_option *options,
		     size_t count, struct err *e);

/* What is set is changed, in one request. */
struct netlink_change {
	bool up, down;
	const char *name;    /* rename: the link must be down, or the kernel 6.1 or newer */
	const char *alias;
	const uint8_t *mac;  /* 6 bytes */
	unsigned mtu;        /* 0: left */
	int master;          /* index; 0: left; -1: taken out of its master */
	int netns_fd;        /* moved there; 0 or -1: left */
};
int netlink_link_change(struct netlink *nl, int index, const struct netlink_change *change,
			struct err *e);
int netlink_link_del(struct netlink *nl, int index, struct err *e);

/* ---- addresses and routes ---- */
struct netlink_addr {
	int family;          /* AF_INET, AF_INET6; 0: none */
	unsigned prefix;     /* bits */
	uint8_t bytes[16];   /* network order; IPv4 in the first 4 */
};

/* "10.0.0.1/24", "fd00::1/64", "10.0.0.1" (prefix 32 or 128). 0 or -EINVAL. */
int netlink_addr_parse(const char *text, struct netlink_addr *out);
enum { NETLINK_ADDR_TEXT_MAX = 64 };
char *netlink_addr_text(const struct netlink_addr *a, char out[NETLINK_ADDR_TEXT_MAX]);

typedef void netlink_addr_fn(int index, const struct netlink_addr *addr, uint8_t protocol,
			     void *arg);
/* The link's addresses (index 0: of all links); family AF_UNSPEC: both. `protocol` is the
 * address's IFA_PROTO, 0 if the kernel (before 5.18) or its maker does not say. */
int netlink_addrs(struct netlink *nl, int index, int family, netlink_addr_fn *fn, void *arg,
		  struct err *e);
int netlink_addr_add(struct netlink *nl, int index, const struct netlink_addr *addr,
		     struct err *e);

struct netlink_addr_options {
	const char *label; /* IPv4; NULL: the link's name */
	uint8_t protocol;  /* IFA_PROTO; 0: not said */
	bool deprecated;   /* never chosen as the source of a new connection */
};
int netlink_addr_put(struct netlink *nl, int index, const struct netlink_addr *addr,
		     const struct netlink_addr_options *options, struct err *e);
int netlink_addr_del(struct netlink *nl, int index, const struct netlink_addr *addr,
		     struct err *e);

enum netlink_scope {
	NETLINK_SCOPE_AUTO,
	NETLINK_SCOPE_GLOBAL,
	NETLINK_SCOPE_LINK,
	NETLINK_SCOPE_HOST,
};

struct netlink_route {
	struct netlink_addr to;      /* family 0: the default route of via's family */
	struct netlink_addr via;     /* family 0: on link */
	struct netlink_addr source;  /* preferred source address; family 0: none */
	int index;                   /* link */
	uint32_t metric;             /* 0: the kernel's */
	uint32_t table;              /* 0: main */
	uint32_t mtu, congestion_window, receive_window; /* 0: the kernel's */
	enum netlink_scope scope;    /* not told by a list */
	uint8_t type;                /* RTN_*; 0: RTN_UNICAST */
	uint8_t protocol;            /* RTPROT_*; 0: RTPROT_STATIC */
	bool onlink;                 /* the gateway is reachable though no subnet says so */
};
int netlink_route_add(struct netlink *nl, const struct netlink_route *r, struct err *e);
int netlink_route_del(struct netlink *nl, const struct netlink_route *r, struct err *e);

/* All routes of all tables; `to` always has its family. */
typedef void netlink_route_fn(const struct netlink_route *route, void *arg);
int netlink_routes(struct netlink *nl, netlink_route_fn *fn, void *arg, struct err *e);

struct netlink_rule {
	int family;
	struct netlink_addr from, to; /* family 0: any */
	uint32_t table;
	uint32_t priority;            /* 0: the kernel's choice */
	uint32_t mark;                /* 0: any */
	uint8_t tos;                  /* 0: any */
	uint8_t protocol;             /* RTPROT_* */
};
int netlink_rule_add(struct netlink *nl, const struct netlink_rule *r, struct err *e);
int netlink_rule_del(struct netlink *nl, const struct netlink_rule *r, struct err *e);
typedef void netlink_rule_fn(const struct netlink_rule *rule, void *arg);
int netlink_rules(struct netlink *nl, netlink_rule_fn *fn, void *arg, struct err *e);

/* ---- neighbours ---- */

/* Has the kernel find out whether somebody with this address is on the link; it takes up to 3 s
 * to give up. */
int netlink_neighbour_ask(struct netlink *nl, int index, const struct netlink_addr *a,
			  struct err *e);

/* All that somebody asked for; `answers`: the last that was heard is not that it does not. */
typedef void netlink_neighbour_fn(int index, const struct netlink_addr *a, bool answers, void *arg);
int netlink_neighbours(struct netlink *nl, netlink_neighbour_fn *fn, void *arg, struct err *e);

/* ---- routers' advertisements ---- */

/* A handle that receives the options that the kernel has no use for (name servers ...). */
int netlink_advert_open(struct netlink **out, struct err *e);

/* Calls `fn` for each that waits: the option as the router sent it, kind and size first. */
typedef void netlink_advert_fn(int index, const uint8_t *option, size_t size, void *arg);
int netlink_advert_read(struct netlink *nl, netlink_advert_fn *fn, void *arg, struct err *e);
