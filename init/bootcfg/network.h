/* The network's configuration: netplan's version 2 and cloud-init's version 1, as the key "network"
 * of user-data or as a text of its own (NoCloud's network-config), and OpenStack's
 * network_data.json. All become the same JSON under "network" (README.md has its shape).
 * Sources: netplan.readthedocs.io, cloud-init's "Networking config Version 1", OpenStack's
 * network_data.json schema. */
#pragma once

#include <yyjson.h>

#include "bootcfg/config.h"
#include "bootcfg/walk.h"

enum network_format {
	NETWORK_NETPLAN,   /* version 2 or 1, with or without the key "network" around it */
	NETWORK_OPENSTACK, /* network_data.json */
};

/* Parses the text in a jailed child and puts the result under "network" of `config`, unless the
 * user-data has said it already. A text that is of no use costs nobody the network: every wired
 * link then uses DHCP, and `faults` says why. `file`: the name in faults. */
void network_read(enum network_format format, const char *file, const char *text, size_t len,
		  yyjson_mut_doc *config, struct faults *faults);

/* ---- inside of schema_network*.c and network_*.c ---- */

extern const struct type type_network;        /* the value of "network" */
extern const struct type schema_network_file; /* a text of its own */
extern const struct type schema_network_data; /* network_data.json */

extern const struct type type_link_routes, type_link_policy, type_link_overrides;
extern const struct type type_ethernets, type_bonds, type_bridges, type_vlans, type_tunnels;
extern const struct type type_dummies;
extern const struct type type_network_v1, type_bond_params_v1, type_bridge_params_v1;

/* Version 1's list becomes links in `network`. */
void network_translate_v1(struct walk *w, const struct node *n, yyjson_mut_val *network);

/* References between links hold, each name is there once; what does not hold is taken out. */
void network_check(struct walk *w, const struct node *n, yyjson_mut_val *network);

/* ---- readers and checks: read_network.c ---- */
read_fn read_cidr_item;   /* "10.0.0.1/24" -> {"address": ..} */
read_fn read_destination; /* of a route: "default", "10.0.0.0/8", "10.0.0.1" */
read_fn read_interval;    /* milliseconds; `min` is the unit of a bare number, `max` in ms */
read_fn read_mac;         /* lower case */
check_fn check_cidr, check_network, check_mac, check_link_name, check_link_id, check_wg_key;
check_fn check_wg_private, check_wg_endpoint, check_ipv4, check_label;

/* The address of the text: AF_INET, AF_INET6, or 0. */
int address_family(const char *text);

/* "255.255.255.0", "ffff:ffff::" or "24": bits, or -1. */
int mask_bits(const char *text);

/* The value of a key of a mapping, NULL if it is not there. */
const struct node *node_value(const struct node *n, const char *key);
/* Whether "10.0.0.1/8" is in the same network as the host "10.0.0.2". */
bool network_contains(const char *cidr, const char *host);

/* The list under `key` of the object, made if it is not there. */
yyjson_mut_val *network_list(struct walk *w, yyjson_mut_val *object, const char *key);

/* Adds an address; `mask` NULL: the text has its prefix. False: there is no prefix. */
bool network_add_address(struct walk *w, yyjson_mut_val *link, const char *address,
			 const char *mask);
/* Adds a route; `mask` as above, `via` and `metric` may be NULL. */
bool network_add_route(struct walk *w, yyjson_mut_val *link, const char *to, const char *mask,
		       const char *via, yyjson_mut_val *metric);
/* Adds the texts of `items` to a list of the link's name servers. */
void network_add_names(struct walk *w, yyjson_mut_val *link, const char *list,
		       yyjson_mut_val *items);

/* The link of this name, or NULL. */
yyjson_mut_val *network_link(yyjson_mut_val *links, const char *name);
