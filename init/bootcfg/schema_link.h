/* Rows that every kind of link has in its table of keys: what stands on it (LINK_KEYS), and what
 * netplan has and Berth has not (LINK_REFUSED). */
#pragma once

#include "base/cleanup.h"
#include "bootcfg/network.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

extern const struct type type_link_addresses, type_link_name_servers, type_link_mac;
extern const struct type type_link_mtu, type_link_ipv6_mtu, type_link_local, type_link_optional;
extern const struct type type_link_activation, type_link_identifier, type_link_generation;
extern const struct type type_link_renderer, type_link_gateway, type_link_ra_overrides;

extern const struct type type_link_id, type_link_ids; /* schema_links.c */

/* Turns gateway4 and gateway6 into routes, names the kind, marks what is not clear. */
void network_finish_link(struct walk *w, const struct node *n, yyjson_mut_val *link,
			 const char *kind);

#define LINK_KEYS                                                                                  \
	{ .name = "dhcp4", .type = &type_bool, .normal = "false", .example = "true",               \
	  .help = "Ask a DHCP server for an IPv4 address." },                                      \
	{ .name = "dhcp6", .type = &type_bool, .normal = "false: only if a router says so",        \
	  .example = "true",                                                                       \
	  .help = "Ask a DHCPv6 server for an IPv6 address and name servers." },                   \
	{ .name = "accept-ra", .type = &type_bool, .normal = "true", .example = "false",           \
	  .help = "Take IPv6 addresses and routes from routers' advertisements (SLAAC)." },        \
	{ .name = "addresses", .type = &type_link_addresses, .normal = "none",                     \
	  .example = "[192.0.2.10/24, \"2001:db8::10/64\"]",                                       \
	  .help = "Static addresses, beside those of DHCP." },                                     \
	{ .name = "gateway4", .type = &type_link_gateway, .normal = "none",                        \
	  .example = "192.0.2.1", .help = "The IPv4 default route (older form of routes)." },      \
	{ .name = "gateway6", .type = &type_link_gateway, .normal = "none",                        \
	  .example = "\"2001:db8::1\"",                                                            \
	  .help = "The IPv6 default route (older form of routes)." },                              \
	{ .name = "nameservers", .type = &type_link_name_servers, .normal = "those of DHCP",       \
	  .example = "{addresses: [192.0.2.53], search: [example.org]}",                           \
	  .help = "Name servers and search domains; they go before those of DHCP." },              \
	{ .name = "macaddress", .type = &type_link_mac, .normal = "the card's own",                \
	  .example = "\"52:54:00:12:34:56\"", .help = "The MAC address that the link gets." },     \
	{ .name = "mtu", .type = &type_link_mtu, .normal = "the kernel's", .example = "9000",      \
	  .help = "The largest packet, in bytes." },                                               \
	{ .name = "ipv6-mtu", .type = &type_link_ipv6_mtu, .normal = "mtu", .example = "1400",     \
	  .help = "The largest IPv6 packet, in bytes." },                                          \
	{ .name = "ipv6-privacy", .type = &type_bool, .normal = "false", .example = "true",        \
	  .help = "Use addresses that change (RFC 8981) for connections to others." },             \
	{ .name = "link-local", .type = &type_link_local, .normal = "[ipv6]", .example = "[]",     \
	  .help = "Which link-local addresses there are: [ipv6] or none." },                       \
	{ .name = "routes", .type = &type_link_routes, .normal = "none",                           \
	  .example = "[{to: default, via: 192.0.2.1, metric: 100}]",                               \
	  .help = "Static routes." },                                                              \
	{ .name = "routing-policy", .type = &type_link_policy, .normal = "none",                   \
	  .example = "[{from: 192.0.2.0/24, table: 100}]",                                         \
	  .help = "Rules that choose a routing table." },                                          \
	{ .name = "dhcp4-overrides", .type = &type_link_overrides, .normal = "all is used",        \
	  .example = "{use-dns: false, route-metric: 200}",                                        \
	  .help = "What of an IPv4 lease is used, and what is asked for." },                       \
	{ .name = "dhcp6-overrides", .type = &type_link_overrides, .normal = "all is used",        \
	  .example = "{use-dns: false}", .help = "The same for DHCPv6." },                         \
	{ .name = "ra-overrides", .type = &type_link_ra_overrides, .normal = "all is used",         \
	  .example = "{use-dns: false}",                                                           \
	  .help = "What of routers' advertisements is used beside addresses and routes." },        \
	{ .name = "dhcp-identifier", .type = &type_link_identifier, .normal = "mac",               \
	  .example = "mac", .help = "What the DHCP server tells machines apart by." },             \
	{ .name = "optional", .type = &type_bool, .normal = "false", .example = "true",            \
	  .help = "The network counts as ready without this link." },                              \
	{ .name = "optional-addresses", .type = &type_link_optional, .normal = "any one is enough", \
	  .example = "[dhcp6]",                                                                    \
	  .help = "A link is ready with its first address, so each is optional already." },        \
	{ .name = "activation-mode", .type = &type_link_activation,                                \
	  .normal = "the link is brought up", .example = "manual",                                 \
	  .help = "manual: whoever wants it brings it up; off: it is kept down." },                \
	{ .name = "ignore-carrier", .type = &type_bool, .normal = "true", .example = "true",       \
	  .help = "Static addresses are there without a carrier as well, whatever this says." },   \
	{ .name = "critical", .type = &type_bool, .normal = "true", .example = "true",             \
	  .help = "Addresses stay when the network service restarts, whatever this says." },       \
	{ .name = "ipv6-address-generation", .type = &type_link_generation, .normal = "eui64",     \
	  .example = "eui64", .help = "How the host's part of IPv6 addresses is made." },          \
	{ .name = "renderer", .type = &type_link_renderer, .normal = "networkd",                   \
	  .example = "networkd", .help = "Berth does what networkd would do." }

#define LINK_REFUSED                                                                               \
	{ .name = "ipv6-address-token", .refused = "not supported: give a static address" },       \
	{ .name = "openvswitch", .refused = "not supported: there is no Open vSwitch in Berth" },  \
	{ .name = "networkmanager", .refused = "not supported: there is no NetworkManager" },      \
	{ .name = "emit-lldp", .refused = "not supported: use a container for LLDP" },             \
	{ .name = "neigh-suppress", .refused = "not supported: there is no VXLAN" },               \
	{ .name = "hairpin", .refused = "not supported: a bridge's port keeps the kernel's way" }, \
	{ .name = "port-mac-learning",                                                             \
	  .refused = "not supported: a bridge's port keeps the kernel's way" }

/* The rest of a row of struct type. */
#define INT(low, high)                                                                             \
	.kind = TYPE_SCALAR, .name = "number", .read = read_int, .min = low, .max = high
#define WORDS(list) .kind = TYPE_SCALAR, .name = "word", .read = read_text, .words = list
/* A block of links by name. */
#define LINKS(what, object, check_name)                                                            \
	.kind = TYPE_MAP, .name = what " by name", .item = &object, .check = check_name,           \
	.list_key = "name", .count_max = 64, .expected = "a mapping of names to " what

/* The end of one kind's rows. */
#define FINISH(kind)                                                                               \
	static void finish_##kind(struct walk *w, const struct node *n, yyjson_mut_val *link)      \
	{                                                                                          \
		network_finish_link(w, n, link, #kind);                                            \
	}
