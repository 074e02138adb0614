/* The key "network", and the texts that hold nothing else. */
#include <string.h>
#include <sys/socket.h>

#include "bootcfg/schema_link.h"


static const struct type version = { INT(1, 2), .expected = "2 (or 1)" };

#define NETWORK_KEYS                                                                               \
	{ .name = "version", .type = &version, .normal = "2", .example = "2",                      \
	  .help = "2: netplan's form; 1: cloud-init's older one, with \"config\"." },              \
	{ .name = "renderer", .type = &type_link_renderer, .normal = "networkd",                   \
	  .example = "networkd", .help = "Berth does what networkd would do." },                   \
	{ .name = "ethernets", .json = "links", .append = true, .type = &type_ethernets,           \
	  .normal = "none", .example = "{eth0: {dhcp4: true}}", .help = "Network cards." },        \
	{ .name = "bonds", .json = "links", .append = true, .type = &type_bonds, .normal = "none", \
	  .example = "{bond0: {interfaces: [eth0, eth1], parameters: {mode: active-backup}}}",     \
	  .help = "Several links used as one." },                                                  \
	{ .name = "bridges", .json = "links", .append = true, .type = &type_bridges,               \
	  .normal = "none", .example = "{lan: {interfaces: [eth0]}}",                              \
	  .help = "Links joined as by a switch." },                                                \
	{ .name = "vlans", .json = "links", .append = true, .type = &type_vlans, .normal = "none", \
	  .example = "{office: {id: 10, link: eth0}}", .help = "Tagged networks on a link." },     \
	{ .name = "tunnels", .json = "links", .append = true, .type = &type_tunnels,               \
	  .normal = "none", .example = "{wg0: {mode: wireguard, key: /etc/wg.key}}",               \
	  .help = "WireGuard." },                                                                  \
	{ .name = "dummy-devices", .json = "links", .append = true, .type = &type_dummies,         \
	  .normal = "none", .example = "{dm0: {addresses: [192.0.2.10/32]}}",                      \
	  .help = "Links that lead nowhere, for addresses." },                                     \
	{ .name = "config", .type = &type_network_v1, .normal = "none",                            \
	  .example = "[{type: physical, name: eth0, subnets: [{type: dhcp}]}]",                    \
	  .help = "Version 1's list." },                                                           \
	{ .name = "wifis", .refused = "not supported: Berth has no radio drivers" },               \
	{ .name = "modems", .refused = "not supported: Berth has no modem drivers" },              \
	{ .name = "vrfs", .refused = "not supported: use routing-policy and tables" },             \
	{ .name = "virtual-ethernets", .refused = "not supported: nobody would be at the other "   \
						  "end; dummy-devices are there" },                \
	{ .name = "openvswitch", .refused = "not supported: there is no Open vSwitch in Berth" },  \
	{ .name = "nm-devices", .refused = "not supported: there is no NetworkManager" }

static const struct key network_keys[] = { NETWORK_KEYS };

static void finish_network(struct walk *w, const struct node *n, yyjson_mut_val *network)
{
	int64_t number = yyjson_mut_get_sint(yyjson_mut_obj_get(network, "version"));
	yyjson_mut_val *old = yyjson_mut_obj_get(network, "config");
	const struct node *config = node_value(n, "config"); /* or within "network" */

	if (node_value(n, "network"))
		n = node_value(n, "network");
	if (!config)
		config = node_value(n, "config");
	if (old && number == 2)
		walk_fault(w, FAULT_ERROR, config,
			   "\"config\" belongs to version 1, and this says \"version: 2\"");
	if (number == 1 && yyjson_mut_obj_get(network, "links"))
		walk_fault(w, FAULT_ERROR, n,
			   "version 1 has \"config\" alone; say \"version: 2\" for the other keys");
	if (!yyjson_mut_obj_get(network, "links"))
		yyjson_mut_obj_add_val(w->doc, network, "links", yyjson_mut_arr(w->doc));
	if (old)
		network_translate_v1(w, config, network);
	yyjson_mut_obj_remove_key(network, "version");
	yyjson_mut_obj_remove_key(network, "renderer");
	network_check(w, n, network);
}

const struct type type_network = {
	OBJECT(network_keys), .name = "network", .finish = finish_network, .marked = true,
	.expected = "a mapping such as {version: 2, ethernets: {eth0: {dhcp4: true}}}",
};

static const struct key file_keys[] = {
	{ .name = "network", .type = &type_network, .flatten = true, .normal = "the keys themselves",
	  .example = "{version: 2, ethernets: {eth0: {dhcp4: true}}}",
	  .help = "netplan's files have this around it, cloud-init's have not." },
	NETWORK_KEYS,
};
const struct type schema_network_file = {
	OBJECT(file_keys), .name = "network", .finish = finish_network, .marked = true,
	.expected = "a mapping with \"version\" and \"ethernets\"",
};

/* ---- what all links' tables have in common ---- */

static void add_gateway(struct walk *w, const struct node *n, yyjson_mut_val *link, const char *key,
			int family, const char *to)
{
	yyjson_mut_val *gateway = yyjson_mut_obj_remove_key(link, key);
	yyjson_mut_val *routes = yyjson_mut_obj_get(link, "routes"), *route;
	size_t before = walk_enter(w, key);

	if (gateway && address_family(yyjson_mut_get_str(gateway)) != family) {
		walk_fault(w, FAULT_ERROR, node_value(n, key), "the address is of the other family");
	} else if (gateway) {
		walk_fault(w, FAULT_WARNING, node_value(n, key),
			   "this is netplan's older form and is done; \"routes: [{to: default, via: "
			   "%s}]\" is the present one", yyjson_mut_get_str(gateway));
		if (!routes)
			routes = yyjson_mut_obj_add_arr(w->doc, link, "routes");
		route = yyjson_mut_arr_add_obj(w->doc, routes);
		yyjson_mut_obj_add_str(w->doc, route, "to", to);
		yyjson_mut_obj_add_val(w->doc, route, "via", gateway);
	}
	walk_leave(w, before);
}

void network_finish_link(struct walk *w, const struct node *n, yyjson_mut_val *link,
			 const char *kind)
{
	static const char *const always[] = {
		"renderer", "optional-addresses", "ignore-carrier", "critical", "dhcp-identifier",
		"ipv6-address-generation",
	};

	yyjson_mut_obj_add_str(w->doc, link, "kind", kind);
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		yyjson_mut_obj_remove_key(link, always[i]);
	add_gateway(w, n, link, "gateway4", AF_INET, "0.0.0.0/0");
	add_gateway(w, n, link, "gateway6", AF_INET6, "::/0");
	if (yyjson_mut_obj_get(link, "set-name") && !yyjson_mut_obj_get(link, "match"))
		walk_fault(w, FAULT_ERROR, node_value(n, "set-name"),
			   "\"set-name\" needs \"match\", which says the card");
}
