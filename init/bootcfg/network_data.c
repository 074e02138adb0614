/* OpenStack's network_data.json: links, the networks on them, and name servers. Keys that describe
 * the cloud's side of things are its own business. */
#include <stdio.h>
#include <string.h>

#include "bootcfg/schema_link.h"

/* ---- the table ---- */
static const struct type any_text = {
	SCALAR(read_text), .name = "text", .expected = "a text",
};
static const struct type vlan_id = { INT(0, 4094), .expected = "a number from 0 to 4094" };

static const struct key service_keys[] = {
	{ .name = "type", .type = &any_text, .normal = "none", .example = "dns",
	  .help = "\"dns\" is used." },
	{ .name = "address", .type = &type_link_gateway, .normal = "none",
	  .example = "192.0.2.53", .help = "The server." },
};
static const struct type service = {
	OBJECT(service_keys), .name = "service", .open = true, .atomic = true,
	.expected = "a mapping with \"type\" and \"address\"",
};
static const struct type services = {
	.kind = TYPE_LIST, .name = "list of services", .item = &service, .count_max = 64,
	.expected = "a list of services",
};

static const struct key route_keys[] = {
	{ .name = "network", .type = &type_link_gateway, .required = true,
	  .example = "198.51.100.0", .help = "Where the route leads." },
	{ .name = "netmask", .type = &any_text, .required = true, .example = "255.255.255.0",
	  .help = "Its size." },
	{ .name = "gateway", .type = &type_link_gateway, .normal = "on link",
	  .example = "192.0.2.1", .help = "The router." },
};
static const struct type route = {
	OBJECT(route_keys), .name = "route", .open = true, .atomic = true,
	.expected = "a mapping with \"network\", \"netmask\" and \"gateway\"",
};
static const struct type routes = {
	.kind = TYPE_LIST, .name = "list of routes", .item = &route, .count_max = 256,
	.expected = "a list of routes",
};

static const struct type host = {
	SCALAR(read_text), .name = "address", .check = check_network,
	.expected = "an address such as \"192.0.2.10\"",
};
static const struct key network_keys[] = {
	{ .name = "type", .type = &any_text, .required = true, .example = "ipv4_dhcp",
	  .help = "How addresses are found." },
	{ .name = "link", .type = &type_link_id, .required = true, .example = "eth0",
	  .help = "The link that it is on." },
	{ .name = "ip_address", .type = &host, .normal = "none", .example = "192.0.2.10",
	  .help = "The static address." },
	{ .name = "netmask", .type = &any_text, .normal = "the address's prefix",
	  .example = "255.255.255.0", .help = "The network's size." },
	{ .name = "gateway", .type = &type_link_gateway, .normal = "none",
	  .example = "192.0.2.1", .help = "The default route." },
	{ .name = "routes", .type = &routes, .normal = "none",
	  .example = "[{network: 0.0.0.0, netmask: 0.0.0.0, gateway: 192.0.2.1}]",
	  .help = "Routes." },
	{ .name = "dns_nameservers", .type = &type_address_list, .normal = "none",
	  .example = "[192.0.2.53]", .help = "Name servers." },
	{ .name = "services", .type = &services, .normal = "none",
	  .example = "[{type: dns, address: 192.0.2.53}]", .help = "Name servers." },
};
static const struct type network = {
	OBJECT(network_keys), .name = "network", .open = true,
	.expected = "a mapping with \"type\" and \"link\"",
};
static const struct type networks = {
	.kind = TYPE_LIST, .name = "list of networks", .item = &network, .count_max = 256,
	.expected = "a list of networks",
};

static const struct key link_keys[] = {
	{ .name = "id", .type = &type_link_id, .required = true, .example = "eth0",
	  .help = "The link's name in this text." },
	{ .name = "type", .type = &any_text, .normal = "a card", .example = "phy",
	  .help = "bond, vlan, or a card." },
	{ .name = "ethernet_mac_address", .type = &type_link_mac, .normal = "none",
	  .example = "\"52:54:00:12:34:56\"", .help = "The card's MAC address." },
	{ .name = "vlan_mac_address", .type = &type_link_mac, .normal = "the link's below",
	  .example = "\"52:54:00:12:34:56\"", .help = "The VLAN's MAC address." },
	{ .name = "mtu", .type = &type_link_mtu, .normal = "the kernel's", .example = "1500",
	  .help = "The largest packet." },
	{ .name = "vlan_id", .type = &vlan_id, .normal = "none", .example = "101",
	  .help = "The VLAN's tag." },
	{ .name = "vlan_link", .type = &type_link_id, .normal = "none", .example = "eth0",
	  .help = "What carries the VLAN." },
	{ .name = "bond_links", .type = &type_link_ids, .normal = "none",
	  .example = "[eth0, eth1]", .help = "The bond's members." },
	{ .name = "bond_mode", .type = &any_text, .normal = "active-backup",
	  .example = "802.3ad", .help = "The bond's mode." },
	{ .name = "bond_miimon", .type = &any_text, .normal = "100", .example = "100",
	  .help = "How often carriers are looked at, in milliseconds." },
	{ .name = "bond_xmit_hash_policy", .type = &any_text, .normal = "layer2",
	  .example = "layer3+4", .help = "What decides which link a packet takes." },
};
static const struct type link_type = {
	OBJECT(link_keys), .name = "link", .open = true, .expected = "a mapping with \"id\"",
};
static const struct type links = {
	.kind = TYPE_LIST, .name = "list of links", .item = &link_type, .count_max = 128,
	.expected = "a list of links",
};

static const struct key root_keys[] = {
	{ .name = "links", .json = "cloud_links", .type = &links, .normal = "none",
	  .example = "[{id: eth0, ethernet_mac_address: \"52:54:00:12:34:56\"}]",
	  .help = "Links." },
	{ .name = "networks", .type = &networks, .normal = "none",
	  .example = "[{type: ipv4_dhcp, link: eth0}]", .help = "The networks on them." },
	{ .name = "services", .type = &services, .normal = "none",
	  .example = "[{type: dns, address: 192.0.2.53}]", .help = "Name servers." },
};

/* ---- the translation ---- */
struct cloud {
	struct walk *w;
	const struct node *at;
	yyjson_mut_val *from;  /* the cloud's links; each gets the key "name" */
	yyjson_mut_val *links; /* ours */
};

static const char *text_of(yyjson_mut_val *object, const char *key)
{
	const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));

	return text ? text : "";
}

static const char *kind_of(yyjson_mut_val *from)
{
	const char *type = text_of(from, "type");

	return strcmp(type, "bond") == 0 || strcmp(type, "vlan") == 0 ? type : "ethernet";
}

/* Identifiers may be longer than a link's name. */
static void name_link(const struct cloud *c, yyjson_mut_val *from, size_t i)
{
	const char *id = text_of(from, "id");
	char name[16];

	snprintf(name, sizeof(name), "%s%zu", kind_of(from), i);
	if (strcmp(kind_of(from), "ethernet") == 0 || !check_link_name(id))
		yyjson_mut_obj_add_strcpy(c->w->doc, from, "name", id);
	else
		yyjson_mut_obj_add_strcpy(c->w->doc, from, "name", name);
}

static const char *name_of(const struct cloud *c, const char *id)
{
	yyjson_mut_val *from;
	size_t i, max;

	yyjson_mut_arr_foreach(c->from, i, max, from) {
		if (strcmp(text_of(from, "id"), id) == 0)
			return text_of(from, "name");
	}
	return id;
}

static void copy(const struct cloud *c, yyjson_mut_val *from, const char *key,
		 yyjson_mut_val *into, const char *as)
{
	yyjson_mut_val *value = yyjson_mut_obj_get(from, key);

	if (value)
		yyjson_mut_obj_add_val(c->w->doc, into, as,
				       yyjson_mut_val_mut_copy(c->w->doc, value));
}

static void add_bond(const struct cloud *c, yyjson_mut_val *from, yyjson_mut_val *link)
{
	yyjson_mut_val *members = yyjson_mut_obj_add_arr(c->w->doc, link, "interfaces"), *id;
	yyjson_mut_val *parameters = yyjson_mut_obj_add_obj(c->w->doc, link, "parameters");
	int64_t miimon = 100;
	size_t i, max;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(from, "bond_links"), i, max, id) {
		yyjson_mut_arr_add_str(c->w->doc, members, name_of(c, yyjson_mut_get_str(id)));
	}
	parse_int(text_of(from, "bond_miimon"), 0, 3600000, &miimon);
	yyjson_mut_obj_add_sint(c->w->doc, parameters, "mii-monitor-interval", miimon);
	yyjson_mut_obj_add_str(c->w->doc, parameters, "mode",
			       *text_of(from, "bond_mode") ? text_of(from, "bond_mode") :
							     "active-backup");
	copy(c, from, "bond_xmit_hash_policy", parameters, "transmit-hash-policy");
}

static void add_link(const struct cloud *c, yyjson_mut_val *from)
{
	yyjson_mut_val *link = yyjson_mut_arr_add_obj(c->w->doc, c->links), *match;
	const char *kind = kind_of(from);

	yyjson_mut_obj_add_str(c->w->doc, link, "name", text_of(from, "name"));
	yyjson_mut_obj_add_str(c->w->doc, link, "kind", kind);
	copy(c, from, "mtu", link, "mtu");
	if (strcmp(kind, "ethernet") == 0) {
		match = yyjson_mut_obj_add_obj(c->w->doc, link, "match");
		copy(c, from, "ethernet_mac_address", match, "macaddress");
		if (yyjson_mut_obj_size(match) == 0)
			yyjson_mut_obj_remove_key(link, "match");
	} else if (strcmp(kind, "bond") == 0) {
		copy(c, from, "ethernet_mac_address", link, "macaddress");
		add_bond(c, from, link);
	} else {
		copy(c, from, "vlan_mac_address", link, "macaddress");
		copy(c, from, "vlan_id", link, "id");
		/* Without one the check of all links finds that it is missing. */
		if (*text_of(from, "vlan_link"))
			yyjson_mut_obj_add_str(c->w->doc, link, "link",
					       name_of(c, text_of(from, "vlan_link")));
	}
}

static void add_services(const struct cloud *c, yyjson_mut_val *link, yyjson_mut_val *list)
{
	yyjson_mut_val *one, *servers = yyjson_mut_arr(c->w->doc);
	size_t i, max;

	yyjson_mut_arr_foreach(list, i, max, one) {
		if (strcmp(text_of(one, "type"), "dns") == 0 && *text_of(one, "address"))
			yyjson_mut_arr_add_str(c->w->doc, servers, text_of(one, "address"));
	}
	network_add_names(c->w, link, "addresses", servers);
}

static void fault(const struct cloud *c, yyjson_mut_val *link, const char *sentence)
{
	walk_fault(c->w, FAULT_ERROR, c->at, "%s", sentence);
	if (link && !yyjson_mut_obj_get(link, "faulty"))
		yyjson_mut_obj_add_bool(c->w->doc, link, "faulty", true);
}

static void add_static(const struct cloud *c, yyjson_mut_val *link, yyjson_mut_val *from)
{
	const char *mask = text_of(from, "netmask"), *gateway = text_of(from, "gateway");
	yyjson_mut_val *one;
	size_t i, max;

	if (!network_add_address(c->w, link, text_of(from, "ip_address"), *mask ? mask : NULL))
		fault(c, link, "a network with a static address needs \"ip_address\" and \"netmask\"");
	if (*gateway)
		network_add_route(c->w, link, "default", NULL, gateway, NULL);
	yyjson_mut_arr_foreach(yyjson_mut_obj_get(from, "routes"), i, max, one) {
		const char *via = text_of(one, "gateway");

		if (!network_add_route(c->w, link, text_of(one, "network"), text_of(one, "netmask"),
				       *via ? via : NULL, NULL))
			fault(c, link, "a route's network, netmask and gateway do not fit together");
	}
}

static void add_network(const struct cloud *c, yyjson_mut_val *from)
{
	static const struct {
		const char *type, *key; /* key NULL: a static address */
	} types[] = {
		{ "ipv4", NULL }, { "ipv6", NULL }, { "ipv4_dhcp", "dhcp4" },
		{ "ipv6_dhcp", "dhcp6" }, { "ipv6_slaac", "accept-ra" },
		{ "ipv6_dhcpv6-stateful", "dhcp6" }, { "ipv6_dhcpv6-stateless", "dhcp6" },
	};
	yyjson_mut_val *link = network_link(c->links, name_of(c, text_of(from, "link")));
	const char *type = text_of(from, "type");
	size_t i = 0;

	while (i < ARRAY_LEN(types) && strcmp(types[i].type, type) != 0)
		i++;
	if (!link) {
		fault(c, NULL, "a network is on a link that is not there");
		return;
	}
	if (i == ARRAY_LEN(types))
		fault(c, link, "a network has a type that is not known; DHCP is tried instead");
	else if (types[i].key)
		yyjson_mut_obj_add_bool(c->w->doc, link, types[i].key, true);
	else
		add_static(c, link, from);
	network_add_names(c->w, link, "addresses", yyjson_mut_obj_get(from, "dns_nameservers"));
	add_services(c, link, yyjson_mut_obj_get(from, "services"));
}

static void finish_data(struct walk *w, const struct node *n, yyjson_mut_val *data)
{
	struct cloud c = {
		.w = w, .at = n, .links = yyjson_mut_arr(w->doc),
		.from = yyjson_mut_obj_remove_key(data, "cloud_links"),
	};
	yyjson_mut_val *list = yyjson_mut_obj_remove_key(data, "networks"), *one;
	yyjson_mut_val *all = yyjson_mut_obj_remove_key(data, "services");
	size_t i, max;

	yyjson_mut_obj_add_val(w->doc, data, "links", c.links);
	yyjson_mut_arr_foreach(c.from, i, max, one) {
		name_link(&c, one, i);
	}
	yyjson_mut_arr_foreach(c.from, i, max, one) {
		if (*text_of(one, "id"))
			add_link(&c, one);
	}
	yyjson_mut_arr_foreach(list, i, max, one) {
		add_network(&c, one);
	}
	if (yyjson_mut_arr_size(c.links))
		add_services(&c, yyjson_mut_arr_get_first(c.links), all);
	network_check(w, n, data);
}

const struct type schema_network_data = {
	OBJECT(root_keys), .name = "network_data.json", .open = true, .marked = true,
	.finish = finish_data, .expected = "a mapping with \"links\" and \"networks\"",
};
