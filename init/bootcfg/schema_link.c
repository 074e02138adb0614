/* What stands on a link of any kind: addresses, routes, rules, name servers, DHCP. */
#include "bootcfg/schema_link.h"

#include <string.h>
#include <sys/socket.h>



/* ---- single values ---- */
const struct type type_link_mac = {
	SCALAR(read_mac), .name = "MAC address",
	.expected = "a MAC address such as \"52:54:00:12:34:56\"",
};
const struct type type_link_mtu = { INT(68, 65535), .expected = "a number from 68 to 65535" };
const struct type type_link_ipv6_mtu = {
	INT(1280, 65535), .expected = "a number from 1280 to 65535",
};
const struct type type_link_gateway = {
	SCALAR(read_text), .name = "IP address", .check = check_address,
	.expected = "an IP address such as \"192.0.2.1\"",
};

static const char *const renderers[] = { "networkd", NULL };
const struct type type_link_renderer = {
	WORDS(renderers), .expected = "\"networkd\" (Berth does it itself; there is no other)",
};
static const char *const identifiers[] = { "mac", NULL };
const struct type type_link_identifier = {
	WORDS(identifiers), .expected = "\"mac\" (there is no DUID for IPv4)",
};
static const char *const generations[] = { "eui64", NULL };
const struct type type_link_generation = {
	WORDS(generations), .expected = "\"eui64\" (or ipv6-privacy, or a static address)",
};
static const char *const activations[] = { "manual", "off", NULL };
const struct type type_link_activation = {
	WORDS(activations), .expected = "\"manual\" or \"off\"",
};

static const char *const local_words[] = { "ipv6", NULL };
static const struct type local_word = {
	WORDS(local_words), .expected = "\"ipv6\" (IPv4 link-local addresses are not supported)",
};
const struct type type_link_local = {
	.kind = TYPE_LIST, .name = "list of words", .item = &local_word, .count_max = 2,
	.expected = "[ipv6] or an empty list",
};
static const char *const optional_words[] = {
	"ipv4-ll", "ipv6-ra", "dhcp4", "dhcp6", "static", NULL,
};
static const struct type optional_word = {
	WORDS(optional_words), .expected = "one of ipv4-ll, ipv6-ra, dhcp4, dhcp6 and static",
};
const struct type type_link_optional = {
	.kind = TYPE_LIST, .name = "list of words", .item = &optional_word, .count_max = 8,
	.expected = "a list of words such as [dhcp6]",
};

/* ---- addresses ---- */
static const char *const lifetimes[] = { "forever", "0", NULL };
static const struct type lifetime = { WORDS(lifetimes), .expected = "\"forever\" or 0" };
static const struct type label = {
	SCALAR(read_text), .name = "label", .check = check_label,
	.expected = "a label of at most 15 characters",
};
static const struct key address_keys[] = {
	{ .name = "lifetime", .type = &lifetime, .normal = "forever", .example = "0",
	  .help = "0: the address answers, but is not chosen for connections to others." },
	{ .name = "label", .type = &label, .normal = "the link's name", .example = "\"eth0:web\"",
	  .help = "The label that old tools show (IPv4)." },
};
static const struct type address_options = {
	OBJECT(address_keys), .name = "address's options",
	.expected = "a mapping with \"lifetime\" or \"label\"",
};
static const struct type address = {
	.kind = TYPE_MAP, .name = "address with prefix", .read = read_cidr_item,
	.check = check_cidr, .item = &address_options, .list_key = "address", .count_max = 1,
	.splice = true, .expected = "an address with its network's size such as \"192.0.2.10/24\"",
};
const struct type type_link_addresses = {
	.kind = TYPE_LIST, .name = "list of addresses", .item = &address, .count_max = 64,
	.expected = "a list of addresses such as [192.0.2.10/24]",
};

/* ---- name servers ---- */
static const struct type search_domain = {
	SCALAR(read_text), .name = "domain", .check = check_hostname,
	.expected = "a domain such as \"example.org\"",
};
static const struct type search_domains = {
	.kind = TYPE_LIST, .name = "list of domains", .item = &search_domain, .count_max = 6,
	.expected = "a list of domains", .single = true,
};
static const struct key name_server_keys[] = {
	{ .name = "addresses", .type = &type_address_list, .normal = "those of DHCP",
	  .example = "[192.0.2.53]", .help = "Name servers." },
	{ .name = "search", .type = &search_domains, .normal = "those of DHCP",
	  .example = "[example.org]", .help = "Domains that short names are looked up in." },
};
const struct type type_link_name_servers = {
	OBJECT(name_server_keys), .name = "name servers",
	.expected = "a mapping with \"addresses\" or \"search\"",
};

/* ---- routes ---- */
static const struct type destination = {
	SCALAR(read_destination), .name = "destination",
	.expected = "\"default\", or a network such as \"198.51.100.0/24\"",
};
static const struct type host_or_network = {
	SCALAR(read_text), .name = "address or network", .check = check_network,
	.expected = "an address or a network such as \"192.0.2.0/24\"",
};
static const struct type metric = { INT(0, UINT32_MAX), .expected = "a number from 0" };
static const struct type table = { INT(1, UINT32_MAX), .expected = "a table's number from 1" };
static const struct type window = { INT(1, UINT32_MAX), .expected = "a number from 1" };
static const char *const route_types[] = {
	"unicast", "anycast", "blackhole", "broadcast", "local", "multicast", "prohibit", "throw",
	"unreachable", NULL,
};
static const struct type route_type = {
	WORDS(route_types), .expected = "a route's type such as \"unicast\" or \"blackhole\"",
};
static const char *const scopes[] = { "global", "link", "host", NULL };
static const struct type scope = { WORDS(scopes), .expected = "global, link or host" };

static const struct key route_keys[] = {
	{ .name = "to", .type = &destination, .required = true, .example = "default",
	  .help = "Where the route leads." },
	{ .name = "via", .type = &type_link_gateway, .normal = "directly on the link",
	  .example = "192.0.2.1", .help = "The router." },
	{ .name = "from", .type = &type_link_gateway, .normal = "the kernel's choice",
	  .example = "192.0.2.10", .help = "Our address in packets that take this route." },
	{ .name = "metric", .type = &metric, .example = "100",
	  .normal = "100 + the link's index for a default route, else the kernel's",
	  .help = "Of several routes the one with the smallest is taken." },
	{ .name = "on-link", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "The router is on this link although no address of ours says so." },
	{ .name = "table", .type = &table, .normal = "the main table", .example = "100",
	  .help = "The routing table." },
	{ .name = "type", .type = &route_type, .normal = "unicast", .example = "blackhole",
	  .help = "What happens to packets." },
	{ .name = "scope", .type = &scope, .normal = "what the type and via say",
	  .example = "link", .help = "How far the destination is (IPv4)." },
	{ .name = "mtu", .type = &type_link_mtu, .normal = "the link's", .example = "1400",
	  .help = "The largest packet on this route." },
	{ .name = "congestion-window", .type = &window, .normal = "the kernel's", .example = "10",
	  .help = "The congestion window, in segments." },
	{ .name = "advertised-receive-window", .type = &window, .normal = "the kernel's",
	  .example = "10", .help = "The first receive window, in segments." },
	{ .name = "advmss", .refused = "not supported: give the route an mtu" },
};

static int family_of(yyjson_mut_val *object, const char *key)
{
	const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));

	return text ? address_family(text) : 0;
}

/* Leaves no "default": a reader knows the family from the destination alone. */
static void finish_route(struct walk *w, const struct node *n, yyjson_mut_val *route)
{
	const char *to = yyjson_mut_get_str(yyjson_mut_obj_get(route, "to"));
	int via = family_of(route, "via"), from = family_of(route, "from"), family = via ? via : from;

	if (!to)
		return;
	if (strcmp(to, "default") == 0) {
		to = family == AF_INET6 ? "::/0" : "0.0.0.0/0";
		yyjson_mut_obj_replace(route, yyjson_mut_str(w->doc, "to"),
				       yyjson_mut_str(w->doc, to));
	}
	family = address_family(to);
	if ((via && via != family) || (from && from != family))
		walk_fault(w, FAULT_ERROR, n, "IPv4 and IPv6 are mixed in one route");
}

static const struct type route = {
	OBJECT(route_keys), .name = "route", .atomic = true, .finish = finish_route,
	.expected = "a mapping with \"to\" and \"via\"",
};
const struct type type_link_routes = {
	.kind = TYPE_LIST, .name = "list of routes", .item = &route, .count_max = 256,
	.expected = "a list of routes, each with \"to\"",
};

/* ---- rules ---- */
static const struct type priority = { INT(0, UINT32_MAX), .expected = "a number from 0" };
static const struct type tos = { INT(0, 255), .expected = "a number from 0 to 255" };
static const struct key rule_keys[] = {
	{ .name = "from", .type = &host_or_network, .normal = "any", .example = "192.0.2.0/24",
	  .help = "Packets from there." },
	{ .name = "to", .type = &host_or_network, .normal = "any", .example = "198.51.100.0/24",
	  .help = "Packets to there." },
	{ .name = "table", .type = &table, .required = true, .example = "100",
	  .help = "The routing table that they use." },
	{ .name = "priority", .type = &priority, .normal = "the kernel's", .example = "100",
	  .help = "Rules with smaller numbers come first." },
	{ .name = "mark", .type = &window, .normal = "any", .example = "1",
	  .help = "Packets with this firewall mark." },
	{ .name = "type-of-service", .type = &tos, .normal = "any", .example = "16",
	  .help = "Packets with this type of service." },
	{ .name = "iif", .refused = "not supported: give \"from\" and \"to\"" },
	{ .name = "type", .refused = "not supported: give the table a route of that type" },
};

static void finish_rule(struct walk *w, const struct node *n, yyjson_mut_val *rule)
{
	int from = family_of(rule, "from"), to = family_of(rule, "to");

	if (from && to && from != to)
		walk_fault(w, FAULT_ERROR, n, "IPv4 and IPv6 are mixed in one rule");
}

static const struct type rule = {
	OBJECT(rule_keys), .name = "rule", .atomic = true, .finish = finish_rule,
	.expected = "a mapping with \"from\" or \"to\", and \"table\"",
};
const struct type type_link_policy = {
	.kind = TYPE_LIST, .name = "list of rules", .item = &rule, .count_max = 256,
	.expected = "a list of rules, each with \"table\"",
};

/* ---- DHCP's overrides ---- */
static const char *const no[] = { "false", "no", NULL };
static const struct type only_no = {
	WORDS(no), .expected = "false (the machine's name is the configuration's)",
};
static const struct key override_keys[] = {
	{ .name = "use-dns", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Use the server's name servers." },
	{ .name = "use-ntp", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Use the server's time servers, if the key ntp names none." },
	{ .name = "use-mtu", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Use the server's MTU." },
	{ .name = "use-routes", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Use the server's routes, the default route among them." },
	{ .name = "use-domains", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Use the server's domains for short names." },
	{ .name = "use-hostname", .type = &only_no, .normal = "false", .example = "false",
	  .help = "The server never names the machine." },
	{ .name = "route-metric", .type = &metric, .normal = "1000 + the link's index",
	  .example = "200", .help = "The metric of the server's routes." },
	{ .name = "send-hostname", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Tell the server the machine's name." },
	{ .name = "hostname", .type = &type_hostname, .normal = "the machine's name",
	  .example = "web-1", .help = "The name that the server is told." },
};
const struct type type_link_overrides = {
	OBJECT(override_keys), .name = "DHCP's overrides",
	.expected = "a mapping such as {use-dns: false}",
};

static const struct key ra_keys[] = {
	{ .name = "use-dns", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Use the routers' name servers." },
	{ .name = "use-domains", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "Use the routers' domains for short names." },
	{ .name = "table",
	  .refused = "not supported: the kernel puts what routers say into the main table" },
};
const struct type type_link_ra_overrides = {
	OBJECT(ra_keys), .name = "routers' overrides",
	.expected = "a mapping such as {use-dns: false}",
};
