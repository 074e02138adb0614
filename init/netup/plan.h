/* The network as the boot configuration wants it: "network", "berth.firewall" and "berth.api" of
 * config.json (init/bootcfg/README.md). Values were checked there; here a value of another kind
 * counts as missing. A link of the plan is its JSON object. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/err.h"
#include "base/netlink.h"

struct plan {
	yyjson_doc *doc;
	yyjson_val *links;    /* NULL: there is no "network": DHCP on every card */
	yyjson_val *firewall; /* NULL: as by default */
	yyjson_val *api;      /* Docker's API over TCP: NULL without one */
	bool faulty;          /* something was left out */
	bool own_time;        /* time servers are configured, or time is off: a lease's are not used */
};

/* No file, and one that cannot be read, are a plan without links. The latter is told in `e` and
 * -errno, and still fills `out`. */
int plan_load(const char *path, struct plan *out, struct err *e);
void plan_free(struct plan *p);

/* A network card, as far as a plan can tell one. */
struct card {
	const char *name;
	const char *first_name; /* the kernel's, before it was renamed */
	uint8_t mac[6];         /* its own */
	char driver[32];        /* empty: not known */
};

yyjson_val *plan_link(const struct plan *p, const char *name);
/* The definition that is meant for the card, or NULL. */
yyjson_val *plan_card(const struct plan *p, const struct card *card);
/* The bond or bridge that has the link as a member, or NULL. */
yyjson_val *plan_master(const struct plan *p, const char *name);

/* Values of a link or of an object in it. */
const char *plan_text(yyjson_val *object, const char *key); /* "" if it is not there */
bool plan_bool(yyjson_val *object, const char *key, bool otherwise);
int64_t plan_number(yyjson_val *object, const char *key, int64_t otherwise);
bool plan_is(yyjson_val *link, const char *kind);
bool plan_mac(yyjson_val *object, const char *key, uint8_t out[6]);

/* DHCP of a link. Without a definition, and on a faulty link, IPv4 in any case. DHCPv6 that nothing
 * is said of is used when a router says so, as networkd does. */
enum plan_dhcp6 { DHCP6_OFF, DHCP6_IF_ASKED, DHCP6_ON };
bool plan_dhcp4(yyjson_val *link);
enum plan_dhcp6 plan_dhcp6(yyjson_val *link);
/* "dhcp4-overrides" or "dhcp6-overrides", or NULL. */
yyjson_val *plan_overrides(yyjson_val *link, int family);
