/* The daemon's heart: it knows the kernel's links, what the plan wants of each, and brings one to
 * the other. Everything is one function that may run at any time and changes only what differs
 * (manager_settle): at the start, after a link's or a lease's change, and after a reload.
 *
 *   links.c   which links there are, and what the plan says of each
 *   make.c    bonds, bridges, VLANs, tunnels: made, changed, removed
 *   shape.c   names, MAC addresses, MTU, members, up or down
 *   wanted.c  the addresses, routes and rules that there should be
 *   apply.c   ... and the kernel brought to them
 *   state.c   what others read: LINK.json, network.json, resolv.conf, ntp.conf */
#pragma once

#include "base/buf.h"
#include "base/loop.h"
#include "base/netlink.h"
#include "netup/advert.h"
#include "netup/client.h"
#include "netup/lease.h"
#include "netup/netup.h"
#include "netup/plan.h"

/* One link that is ours to see to. */
struct port {
	struct netlink_link is;       /* as the kernel has it */
	char first_name[IFNAMSIZ];
	yyjson_val *plan;             /* its definition; NULL: none, DHCP */
	yyjson_val *master;           /* the definition of the bond or bridge that it belongs into */
	bool card;                    /* a network card, not made by us */
	bool wanted;                  /* this round has it */
	bool had_carrier;
	uint32_t carrier_changes;
	unsigned shaped;              /* the plan's number when sysctls were written; 0: never */
	bool shaped_member;
	struct client dhcp4, dhcp6;
	struct lease_file lease4, lease6;
	struct adverts adverts;
	struct lease_file router;     /* what of them holds */
	char problem[ERR_TEXT_MAX];   /* what does not work; empty: nothing */
	char told[ERR_TEXT_MAX];      /* the last one that was logged */
	bool ready;                   /* has an address that others can reach */
	struct buf addresses;         /* JSON items of LINK.json */
	struct buf words;             /* those that others can reach, for the log */
	char *state_text;             /* LINK.json as it was written last */
};

struct manager {
	struct loop *loop;
	struct netlink *list, *nl;    /* a callback of one may use the other */
	char *const *only;            /* links that are cards, whatever they are; NULL: real cards */
	struct plan plan;
	unsigned plan_number;
	struct port *ports[NETUP_LINKS_MAX];
	size_t count;
	struct buf guarded;           /* names of links that the firewall guards, each with a blank */
	struct buf made;              /* how links were made: "NAME how\n" */
	char *network_text, *resolver_text, *firewall_text;
	const char *online;           /* "online", "partial", "offline" */
	bool unsettled;               /* something did not work in this round */
	struct loop_source *again;    /* the next round, if something did not work yet */
	int64_t again_ms;
};

/* Reads the plan and settles. What is wrong with the file is in `e`; DHCP is used then. */
int manager_load(struct manager *m, struct err *e);
void manager_settle(struct manager *m);
/* An option of a router's advertisement; true: it changes something. */
bool manager_hears(struct manager *m, int index, const uint8_t *option, size_t size);
/* Whether a change of this link concerns us. */
bool manager_cares(const struct manager *m, const struct netlink_link *l);
void manager_free(struct manager *m);

/* ---- inside ---- */
struct port *port_by_index(const struct manager *m, int index);
struct port *port_by_name(const struct manager *m, const char *name);
/* The port of a definition, if it is there. */
struct port *port_by_plan(const struct manager *m, yyjson_val *plan);
/* Remembers the first problem of this round. */
void port_problem(struct port *p, const struct err *e);
bool port_carries(const struct port *p); /* addresses: a member of a bond or bridge has none */

/* 0; or -errno when the kernel's list is not whole: then no link is dropped, and nothing may be
 * concluded in this round. */
int links_look(struct manager *m);
bool links_is_card(const struct manager *m, const struct netlink_link *l);
void links_forget(struct manager *m, size_t i);

/* Makes what is missing and can be made; true if something was made or removed. */
bool make_links(struct manager *m);
void shape_links(struct manager *m);

struct wanted_address {
	struct netlink_addr addr;
	struct netlink_addr_options options;
	const struct port *port;
};
enum { WANTED_MAX = 1024 };
struct wanted {
	struct wanted_address addresses[WANTED_MAX];
	struct netlink_route routes[WANTED_MAX];
	const struct port *route_ports[WANTED_MAX];
	struct netlink_rule rules[WANTED_MAX];
	size_t address_count, route_count, rule_count;
};
void wanted_collect(const struct manager *m, struct wanted *w);

void apply_wanted(struct manager *m, const struct wanted *w);

void state_report(struct manager *m);
void firewall_apply(struct manager *m);
