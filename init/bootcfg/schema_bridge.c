/* Bridges, with netplan's parameters and with those of version 1. */
#include "bootcfg/schema_link.h"

static const struct type interval_s = {
	SCALAR(read_interval), .name = "seconds", .min = 1000, .max = 100000000,
	.expected = "seconds such as 15, or \"500ms\"",
};
static const struct type priority = { INT(0, 65535), .expected = "a number from 0 to 65535" };
static const struct type port_priority = { INT(0, 63), .expected = "a number from 0 to 63" };
static const struct type path_cost = { INT(1, 65535), .expected = "a number from 1 to 65535" };
static const struct type port_priorities = {
	.kind = TYPE_MAP, .name = "numbers by link", .item = &port_priority, .check = check_link_id,
	.expected = "a mapping of links to numbers",
};
static const struct type path_costs = {
	.kind = TYPE_MAP, .name = "numbers by link", .item = &path_cost, .check = check_link_id,
	.expected = "a mapping of links to numbers",
};
static const struct key bridge_parameter_keys[] = {
	{ .name = "ageing-time", .type = &interval_s, .normal = "300", .example = "300",
	  .help = "How long the bridge remembers where an address is." },
	{ .name = "aging-time", .json = "ageing-time", .type = &interval_s, .normal = "300",
	  .example = "300", .help = "The same in the other spelling." },
	{ .name = "priority", .type = &priority, .normal = "32768", .example = "4096",
	  .help = "The bridge with the smallest becomes the root of the tree." },
	{ .name = "port-priority", .type = &port_priorities, .normal = "32 each",
	  .example = "{lan0: 16}", .help = "The priority of single links." },
	{ .name = "forward-delay", .type = &interval_s, .normal = "15", .example = "4",
	  .help = "How long a port listens and learns before it forwards." },
	{ .name = "hello-time", .type = &interval_s, .normal = "2", .example = "2",
	  .help = "How often the root says hello." },
	{ .name = "max-age", .type = &interval_s, .normal = "20", .example = "20",
	  .help = "How old a hello may be." },
	{ .name = "path-cost", .type = &path_costs, .normal = "what the speed says",
	  .example = "{lan0: 100}", .help = "The cost of single links." },
	{ .name = "stp", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "The spanning tree protocol." },
	{ .name = "vlan-filtering", .refused = "not supported: define VLANs and put them into bridges" },
	{ .name = "vlan-default-pvid",
	  .refused = "not supported: define VLANs and put them into bridges" },
	{ .name = "port-vlans", .refused = "not supported: define VLANs and put them into bridges" },
	{ .name = "vlans", .refused = "not supported: define VLANs and put them into bridges" },
};
static const struct type bridge_parameters = {
	OBJECT(bridge_parameter_keys), .name = "bridge's parameters",
	.expected = "a mapping such as {stp: false}",
};
static const struct key bridge_keys[] = {
	{ .name = "interfaces", .type = &type_link_ids, .normal = "none", .example = "[lan0]",
	  .help = "The links that are bridged." },
	{ .name = "parameters", .type = &bridge_parameters, .normal = "what its keys say",
	  .example = "{stp: false}", .help = "How." },
	LINK_KEYS,
	LINK_REFUSED,
};
FINISH(bridge)
static const struct type bridge = {
	OBJECT(bridge_keys), .name = "bridge", .finish = finish_bridge, .marked = true,
	.expected = "a mapping such as {interfaces: [lan0]}",
};
const struct type type_bridges = { LINKS("bridges", bridge, check_link_name) };

/* ---- version 1's names ---- */
static const struct key bridge_params_v1[] = {
	{ .name = "bridge_ageing", .json = "ageing-time", .type = &interval_s, .normal = "300",
	  .example = "300", .help = "As ageing-time." },
	{ .name = "bridge_bridgeprio", .json = "priority", .type = &priority, .normal = "32768",
	  .example = "4096", .help = "As priority." },
	{ .name = "bridge_fd", .json = "forward-delay", .type = &interval_s, .normal = "15",
	  .example = "4", .help = "As forward-delay." },
	{ .name = "bridge_hello", .json = "hello-time", .type = &interval_s, .normal = "2",
	  .example = "2", .help = "As hello-time." },
	{ .name = "bridge_maxage", .json = "max-age", .type = &interval_s, .normal = "20",
	  .example = "20", .help = "As max-age." },
	{ .name = "bridge_stp", .json = "stp", .type = &type_bool, .normal = "true",
	  .example = "false", .help = "As stp." },
	{ .name = "bridge_hw", .refused = "not supported: give the bridge a mac_address" },
	{ .name = "bridge_maxwait", .refused = "not supported: nobody waits for a bridge" },
	{ .name = "bridge_waitport", .refused = "not supported: nobody waits for a bridge" },
	{ .name = "bridge_pathcost", .refused = "not supported in version 1: use version 2" },
	{ .name = "bridge_portprio", .refused = "not supported in version 1: use version 2" },
	{ .name = "bridge_ports", .refused = "the ports stand under bridge_interfaces" },
	{ .name = "bridge_gcint", .refused = "not supported: the kernel's choice stays" },
};
const struct type type_bridge_params_v1 = {
	OBJECT(bridge_params_v1), .name = "bridge's parameters",
	.expected = "a mapping such as {bridge_stp: false}",
};
