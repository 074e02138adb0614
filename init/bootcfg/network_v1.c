/* cloud-init's network configuration, version 1: a list of things, told apart by "type". */
#include <string.h>

#include "bootcfg/schema_link.h"

/* ---- the table ---- */
static const struct type any_text = {
	SCALAR(read_text), .name = "text", .check = check_no_blank, .expected = "a text",
};
static const struct type number = { INT(0, UINT32_MAX), .expected = "a number from 0" };
static const struct type vlan_id = { INT(0, 4094), .expected = "a number from 0 to 4094" };
static const struct type texts = {
	.kind = TYPE_LIST, .name = "list of texts", .item = &any_text, .single = true,
	.count_max = 64, .expected = "a text or a list of texts",
};
static const struct type v1_address = {
	SCALAR(read_text), .name = "address or network", .check = check_network,
	.expected = "an address such as \"192.0.2.10/24\"",
};
static const struct type v1_destination = {
	SCALAR(read_destination), .name = "destination",
	.expected = "a network such as \"198.51.100.0/24\"",
};
static const char *const controls[] = { "auto", "hotplug", "manual", NULL };
static const struct type control = { WORDS(controls), .expected = "auto, hotplug or manual" };

static const struct key route_keys[] = {
	{ .name = "destination", .type = &v1_destination, .normal = "network",
	  .example = "198.51.100.0/24", .help = "Where the route leads." },
	{ .name = "network", .json = "destination", .type = &v1_destination,
	  .normal = "destination", .example = "198.51.100.0", .help = "The same." },
	{ .name = "netmask", .type = &any_text, .normal = "a prefix", .example = "255.255.255.0",
	  .help = "Its size." },
	{ .name = "prefix", .json = "netmask", .type = &any_text, .normal = "a netmask",
	  .example = "24", .help = "Its size in bits." },
	{ .name = "gateway", .type = &type_link_gateway, .normal = "on link",
	  .example = "192.0.2.1", .help = "The router." },
	{ .name = "metric", .type = &number, .normal = "as in version 2",
	  .example = "100", .help = "The smallest counts." },
};
static const struct type route = {
	OBJECT(route_keys), .name = "route", .atomic = true,
	.expected = "a mapping with \"network\" and \"gateway\"",
};
static const struct type routes = {
	.kind = TYPE_LIST, .name = "list of routes", .item = &route, .count_max = 256,
	.expected = "a list of routes",
};

static const char *const subnet_types[] = {
	"dhcp", "dhcp4", "dhcp6", "static", "static6", "manual", "ipv6_dhcpv6-stateful",
	"ipv6_dhcpv6-stateless", "ipv6_slaac", NULL,
};
static const struct type subnet_type = {
	WORDS(subnet_types), .expected = "a subnet's type such as \"dhcp\" or \"static\"",
};
static const struct key subnet_keys[] = {
	{ .name = "type", .type = &subnet_type, .required = true, .example = "dhcp",
	  .help = "How addresses are found." },
	{ .name = "control", .type = &control, .normal = "auto", .example = "manual",
	  .help = "manual: whoever wants the link brings it up." },
	{ .name = "address", .type = &v1_address, .normal = "none", .example = "192.0.2.10/24",
	  .help = "The static address." },
	{ .name = "netmask", .type = &any_text, .normal = "the address's prefix",
	  .example = "255.255.255.0", .help = "The network's size." },
	{ .name = "gateway", .type = &type_link_gateway, .normal = "none",
	  .example = "192.0.2.1", .help = "The default route." },
	{ .name = "metric", .type = &number, .normal = "as in version 2",
	  .example = "100", .help = "The default route's metric." },
	{ .name = "dns_nameservers", .type = &type_address_list, .normal = "none",
	  .example = "[192.0.2.53]", .help = "Name servers." },
	{ .name = "dns_search", .type = &texts, .normal = "none", .example = "[example.org]",
	  .help = "Search domains." },
	{ .name = "routes", .type = &routes, .normal = "none",
	  .example = "[{network: 198.51.100.0/24, gateway: 192.0.2.1}]", .help = "Routes." },
	{ .name = "mtu", .type = &type_link_mtu, .normal = "the kernel's", .example = "9000",
	  .help = "The largest packet." },
	{ .name = "ipv4", .type = &type_bool, .normal = "as the type says", .example = "true",
	  .help = "A mark of Hetzner's: the type says the same." },
	{ .name = "ipv6", .type = &type_bool, .normal = "as the type says", .example = "true",
	  .help = "A mark of Hetzner's: the type says the same." },
	{ .name = "broadcast", .refused = "not supported: it follows from the address" },
	{ .name = "scope", .refused = "not supported in version 1: use version 2's routes" },
	{ .name = "pointopoint", .refused = "not supported: use version 2's routes" },
};
static const struct type subnet = {
	OBJECT(subnet_keys), .name = "subnet", .marked = true,
	.expected = "a mapping such as {type: dhcp}",
};
static const struct type subnets = {
	.kind = TYPE_LIST, .name = "list of subnets", .item = &subnet, .count_max = 64,
	.expected = "a list of subnets, each with \"type\"",
};

static const char *const item_types[] = {
	"physical", "bond", "bridge", "vlan", "nameserver", "route", "loopback", NULL,
};
static const struct type item_type = {
	WORDS(item_types),
	.expected = "physical, bond, bridge, vlan, nameserver or route (no InfiniBand here)",
};
static const struct type any_map = {
	.kind = TYPE_MAP, .name = "mapping", .item = &any_text, .expected = "a mapping",
};

static const struct key item_keys[] = {
	{ .name = "type", .type = &item_type, .required = true, .example = "physical",
	  .help = "What this item is." },
	{ .name = "name", .type = &type_link_id, .normal = "none", .example = "eth0",
	  .help = "The link's name." },
	{ .name = "mac_address", .type = &type_link_mac, .normal = "none",
	  .example = "\"52:54:00:12:34:56\"",
	  .help = "physical: which card it is; others: the address that the link gets." },
	{ .name = "mtu", .type = &type_link_mtu, .normal = "the kernel's", .example = "9000",
	  .help = "The largest packet." },
	{ .name = "accept-ra", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Take routers' advertisements." },
	{ .name = "wakeonlan", .type = &type_bool, .normal = "the card's setting",
	  .example = "true", .help = "A magic packet wakes the machine." },
	{ .name = "subnets", .type = &subnets, .normal = "none", .example = "[{type: dhcp}]",
	  .help = "Its addresses." },
	{ .name = "bond_interfaces", .json = "interfaces", .type = &type_link_ids,
	  .normal = "none", .example = "[eth0, eth1]", .help = "The bond's members." },
	{ .name = "bridge_interfaces", .json = "interfaces", .type = &type_link_ids,
	  .normal = "none", .example = "[eth0]", .help = "The bridge's members." },
	{ .name = "params", .type = &any_map, .normal = "none",
	  .example = "{bond-mode: active-backup}", .help = "The bond's or bridge's parameters." },
	{ .name = "vlan_id", .json = "id", .type = &vlan_id, .normal = "none", .example = "10",
	  .help = "The tag." },
	{ .name = "vlan_link", .json = "link", .type = &type_link_id, .normal = "none",
	  .example = "eth0", .help = "What carries the VLAN." },
	{ .name = "address", .type = &type_address_list, .normal = "none",
	  .example = "[192.0.2.53]", .help = "nameserver: its addresses." },
	{ .name = "search", .type = &texts, .normal = "none", .example = "[example.org]",
	  .help = "nameserver: search domains." },
	{ .name = "interface", .type = &type_link_id, .normal = "the first link",
	  .example = "eth0", .help = "nameserver: the link that it belongs to." },
	{ .name = "destination", .type = &v1_destination, .normal = "none",
	  .example = "198.51.100.0/24", .help = "route: where it leads." },
	{ .name = "netmask", .type = &any_text, .normal = "the destination's prefix",
	  .example = "255.255.255.0", .help = "route: its size." },
	{ .name = "gateway", .type = &type_link_gateway, .normal = "none",
	  .example = "192.0.2.1", .help = "route: the router." },
	{ .name = "metric", .type = &number, .normal = "as in version 2",
	  .example = "100", .help = "route: its metric." },
	{ .name = "keep_configuration", .refused = "not supported: addresses always stay when the "
						   "network service restarts" },
};

/* A bond's and a bridge's parameters have tables of their own, chosen by the type. What is told of
 * the item later is told where it stands. */
static void finish_item(struct walk *w, const struct node *n, yyjson_mut_val *item)
{
	const char *type = yyjson_mut_get_str(yyjson_mut_obj_get(item, "type"));
	const struct node *params = node_value(n, "params");
	yyjson_mut_val *value;
	size_t before;

	yyjson_mut_obj_add_uint(w->doc, item, "line", n->line);
	yyjson_mut_obj_add_uint(w->doc, item, "column", n->column);
	if (!type || !yyjson_mut_obj_remove_key(item, "params"))
		return;
	before = walk_enter(w, "params");
	value = strcmp(type, "bond") == 0   ? walk_value(w, &type_bond_params_v1, params) :
		strcmp(type, "bridge") == 0 ? walk_value(w, &type_bridge_params_v1, params) : NULL;
	if (value)
		yyjson_mut_obj_add_val(w->doc, item, "parameters", value);
	walk_leave(w, before);
}

static const struct type item_of_list = {
	OBJECT(item_keys), .name = "item", .marked = true, .finish = finish_item,
	.expected = "a mapping such as {type: physical, name: eth0}",
};
const struct type type_network_v1 = {
	.kind = TYPE_LIST, .name = "list of items", .item = &item_of_list, .count_max = 128,
	.expected = "a list of items, each with \"type\"",
};

/* ---- the translation ---- */
struct v1 {
	struct walk *w;
	struct node at; /* the item's place */
	yyjson_mut_val *links;
};

static const char *text_of(yyjson_mut_val *object, const char *key)
{
	return yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
}

static void fault(const struct v1 *v, yyjson_mut_val *link, const char *sentence)
{
	walk_fault(v->w, FAULT_ERROR, &v->at, "%s", sentence);
	if (link && !yyjson_mut_obj_get(link, "faulty"))
		yyjson_mut_obj_add_bool(v->w->doc, link, "faulty", true);
}

static void set(const struct v1 *v, yyjson_mut_val *link, const char *key, yyjson_mut_val *value)
{
	yyjson_mut_obj_remove_key(link, key);
	yyjson_mut_obj_add_val(v->w->doc, link, key, value);
}

static void add_route(const struct v1 *v, yyjson_mut_val *link, yyjson_mut_val *from)
{
	const char *to = text_of(from, "destination");

	if (!to || !network_add_route(v->w, link, to, text_of(from, "netmask"),
				      text_of(from, "gateway"), yyjson_mut_obj_get(from, "metric")))
		fault(v, link, "a route needs a destination with its size, and a gateway of the same "
			       "family");
}

static void add_static(const struct v1 *v, yyjson_mut_val *link, yyjson_mut_val *subnet_of)
{
	const char *address = text_of(subnet_of, "address"), *gateway = text_of(subnet_of, "gateway");

	if (!address || !network_add_address(v->w, link, address, text_of(subnet_of, "netmask")))
		fault(v, link, "a static subnet needs an address with its prefix, or a netmask");
	if (gateway)
		network_add_route(v->w, link, "default", NULL, gateway,
				  yyjson_mut_obj_get(subnet_of, "metric"));
}

static void add_subnet(const struct v1 *v, yyjson_mut_val *link, yyjson_mut_val *from)
{
	static const struct {
		const char *type, *key;
	} rows[] = {
		{ "dhcp", "dhcp4" }, { "dhcp4", "dhcp4" }, { "dhcp6", "dhcp6" },
		{ "ipv6_dhcpv6-stateful", "dhcp6" }, { "ipv6_dhcpv6-stateless", "dhcp6" },
		{ "ipv6_slaac", "accept-ra" },
	};
	const char *type = text_of(from, "type"), *how = text_of(from, "control");
	yyjson_mut_val *one, *mtu = yyjson_mut_obj_get(from, "mtu");
	size_t i, max;

	for (i = 0; type && i < ARRAY_LEN(rows); i++)
		if (strcmp(type, rows[i].type) == 0)
			set(v, link, rows[i].key, yyjson_mut_bool(v->w->doc, true));
	if (type && strncmp(type, "static", 6) == 0)
		add_static(v, link, from);
	network_add_names(v->w, link, "addresses", yyjson_mut_obj_get(from, "dns_nameservers"));
	network_add_names(v->w, link, "search", yyjson_mut_obj_get(from, "dns_search"));
	yyjson_mut_arr_foreach(yyjson_mut_obj_get(from, "routes"), i, max, one) {
		add_route(v, link, one);
	}
	if (how && strcmp(how, "manual") == 0)
		set(v, link, "activation-mode", yyjson_mut_str(v->w->doc, "manual"));
	if (mtu)
		set(v, link, "mtu", yyjson_mut_val_mut_copy(v->w->doc, mtu));
	if (yyjson_mut_obj_get(from, "faulty"))
		set(v, link, "faulty", yyjson_mut_bool(v->w->doc, true));
}

/* A card is told by its MAC address, if there is one, and gets the name. */
static void add_card(const struct v1 *v, yyjson_mut_val *link)
{
	yyjson_mut_val *mac = yyjson_mut_obj_remove_key(link, "macaddress"), *match;

	if (!mac)
		return;
	match = yyjson_mut_obj_add_obj(v->w->doc, link, "match");
	yyjson_mut_obj_add_val(v->w->doc, match, "macaddress", mac);
	if (!check_link_name(text_of(link, "name")))
		yyjson_mut_obj_add_strcpy(v->w->doc, link, "set-name", text_of(link, "name"));
}

static void add_link(const struct v1 *v, yyjson_mut_val *from, const char *kind)
{
	static const struct {
		const char *from, *to;
	} keys[] = {
		{ "mac_address", "macaddress" }, { "mtu", "mtu" }, { "accept-ra", "accept-ra" },
		{ "wakeonlan", "wakeonlan" }, { "interfaces", "interfaces" }, { "id", "id" },
		{ "link", "link" }, { "parameters", "parameters" }, { "faulty", "faulty" },
	};
	yyjson_mut_val *link = yyjson_mut_obj(v->w->doc), *value, *one;
	bool virtual = strcmp(kind, "ethernet") != 0;
	const char *name = text_of(from, "name");
	size_t i, max;

	if (!name || (virtual && check_link_name(name))) {
		fault(v, NULL, "the link needs a name of 1 to 15 characters");
		return;
	}
	if (strcmp(kind, "vlan") == 0 &&
	    (!yyjson_mut_obj_get(from, "id") || !yyjson_mut_obj_get(from, "link"))) {
		fault(v, NULL, "a VLAN needs \"vlan_id\" and \"vlan_link\"");
		return;
	}
	yyjson_mut_obj_add_strcpy(v->w->doc, link, "name", name);
	yyjson_mut_obj_add_str(v->w->doc, link, "kind", kind);
	for (i = 0; i < ARRAY_LEN(keys); i++) {
		value = yyjson_mut_obj_get(from, keys[i].from);
		if (value)
			set(v, link, keys[i].to, yyjson_mut_val_mut_copy(v->w->doc, value));
	}
	if (!virtual)
		add_card(v, link);
	yyjson_mut_arr_foreach(yyjson_mut_obj_get(from, "subnets"), i, max, one) {
		add_subnet(v, link, one);
	}
	yyjson_mut_arr_append(v->links, link);
}

static void add_name_server(const struct v1 *v, yyjson_mut_val *from)
{
	const char *name = text_of(from, "interface");
	yyjson_mut_val *link = name ? network_link(v->links, name) :
				      yyjson_mut_arr_get_first(v->links);

	if (!link) {
		fault(v, NULL, "there is no link that this name server could belong to");
		return;
	}
	network_add_names(v->w, link, "addresses", yyjson_mut_obj_get(from, "address"));
	network_add_names(v->w, link, "search", yyjson_mut_obj_get(from, "search"));
}

/* The link that has an address in the router's network; else the first one. */
static void add_free_route(const struct v1 *v, yyjson_mut_val *from)
{
	const char *via = text_of(from, "gateway");
	yyjson_mut_val *link, *chosen = NULL, *address;
	size_t i, j, max, count;

	yyjson_mut_arr_foreach(v->links, i, max, link) {
		yyjson_mut_arr_foreach(yyjson_mut_obj_get(link, "addresses"), j, count, address) {
			if (!chosen && via && network_contains(text_of(address, "address"), via))
				chosen = link;
		}
	}
	if (!chosen)
		chosen = yyjson_mut_arr_get_first(v->links);
	if (chosen)
		add_route(v, chosen, from);
	else
		fault(v, NULL, "there is no link that this route could belong to");
}

static void go_to(struct v1 *v, yyjson_mut_val *from)
{
	v->at.line = (unsigned)yyjson_mut_get_uint(yyjson_mut_obj_get(from, "line"));
	v->at.column = (unsigned)yyjson_mut_get_uint(yyjson_mut_obj_get(from, "column"));
}

void network_translate_v1(struct walk *w, const struct node *n, yyjson_mut_val *network)
{
	static const struct {
		const char *type, *kind;
	} kinds[] = {
		{ "physical", "ethernet" }, { "bond", "bond" }, { "bridge", "bridge" }, { "vlan", "vlan" },
	};
	struct v1 v = { .w = w, .at = *n, .links = yyjson_mut_obj_get(network, "links") };
	yyjson_mut_val *list = yyjson_mut_obj_remove_key(network, "config"), *one;
	size_t i, max;

	/* Twice: name servers and routes may stand before the links that they belong to. */
	yyjson_mut_arr_foreach(list, i, max, one) {
		go_to(&v, one);
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			if (yyjson_mut_equals_str(yyjson_mut_obj_get(one, "type"), kinds[k].type))
				add_link(&v, one, kinds[k].kind);
	}
	yyjson_mut_arr_foreach(list, i, max, one) {
		go_to(&v, one);
		if (yyjson_mut_equals_str(yyjson_mut_obj_get(one, "type"), "nameserver"))
			add_name_server(&v, one);
		if (yyjson_mut_equals_str(yyjson_mut_obj_get(one, "type"), "route"))
			add_free_route(&v, one);
	}
}
