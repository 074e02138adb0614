/* berth.firewall: who may connect to the host itself. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/network.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

static const char *const protocols[] = { "tcp", "udp", "sctp", NULL };

/* "443", "443/tcp", "8000-8010/udp". */
static yyjson_mut_val *read_port(struct walk *w, const struct type *t, const struct node *n,
				 struct err *why)
{
	char text[32], *slash, *dash;
	const char *protocol = "tcp";
	int64_t first, last;
	yyjson_mut_val *o;
	size_t i = 0;

	(void)t;
	if (snprintf(text, sizeof(text), "%s", n->text) >= (int)sizeof(text))
		return NULL;
	slash = strchr(text, '/');
	if (slash) {
		*slash = '\0';
		protocol = slash + 1;
	}
	while (protocols[i] && strcmp(protocols[i], protocol) != 0)
		i++;
	dash = strchr(text, '-');
	if (dash)
		*dash = '\0';
	if (!protocols[i] || parse_int(text, 1, 65535, &first) < 0 ||
	    parse_int(dash ? dash + 1 : text, 1, 65535, &last) < 0)
		return NULL;
	if (first > last) {
		err_set(why, -EINVAL, "the range ends before it begins");
		return NULL;
	}
	o = yyjson_mut_obj(w->doc);
	yyjson_mut_obj_add_sint(w->doc, o, "first", first);
	yyjson_mut_obj_add_sint(w->doc, o, "last", last);
	yyjson_mut_obj_add_str(w->doc, o, "protocol", protocols[i]);
	return o;
}

/* The short form of an item: the port alone. */
static yyjson_mut_val *read_item(struct walk *w, const struct type *t, const struct node *n,
				 struct err *why)
{
	yyjson_mut_val *port = read_port(w, t, n, why), *o;

	if (!port)
		return NULL;
	o = yyjson_mut_obj(w->doc);
	yyjson_mut_obj_add_val(w->doc, o, "port", port);
	return o;
}

static const struct type port = {
	SCALAR(read_port), .name = "port",
	.expected = "a port such as 443, \"53/udp\" or \"8000-8010/tcp\"",
};
static const struct type network = {
	SCALAR(read_text), .name = "network", .check = check_network,
	.expected = "an address or a network such as \"192.0.2.0/24\"",
};
const struct type type_networks = {
	.kind = TYPE_LIST, .name = "list of networks", .item = &network, .count_max = 64,
	.single = true, .expected = "a list of networks",
};
static const struct key item_keys[] = {
	{ .name = "port", .type = &port, .required = true, .example = "\"443/tcp\"",
	  .help = "The port, or a range; tcp if nothing else is said." },
	{ .name = "from", .type = &type_networks, .normal = "everybody", .example = "[192.0.2.0/24]",
	  .help = "Who may." },
};
static const struct type item = {
	OBJECT(item_keys), .name = "port", .read = read_item, .atomic = true,
	.expected = "a port such as \"443/tcp\", or a mapping with \"port\" and \"from\"",
};
static const struct type items = {
	.kind = TYPE_LIST, .name = "list of ports", .item = &item, .count_max = 256, .single = true,
	.expected = "a list of ports such as [\"443/tcp\"]",
};
static const struct key firewall_keys[] = {
	{ .name = "enabled", .type = &type_bool, .normal = "true", .example = "false",
	  .help = "false: everything that the host listens on can be reached." },
	{ .name = "allow", .type = &items, .normal = "none", .example = "[\"443/tcp\"]",
	  .help = "Ports of the host that are let in besides SSH; a container with network_mode: host "
		  "needs them." },
	{ .name = "ssh_from", .type = &type_networks, .normal = "everybody",
	  .example = "[192.0.2.0/24]",
	  .help = "Who may connect to SSH. Whoever is not in it is locked out." },
};

/* A list of which something was left out would lock out whoever stood there. */
static void finish_firewall(struct walk *w, const struct node *n, yyjson_mut_val *firewall)
{
	const struct node *given = node_value(n, "ssh_from");
	size_t wanted = !given ? 0 : given->kind == NODE_LIST ? given->count : 1;

	(void)w;
	if (yyjson_mut_arr_size(yyjson_mut_obj_get(firewall, "ssh_from")) < wanted)
		yyjson_mut_obj_remove_key(firewall, "ssh_from");
}

const struct type type_firewall = {
	OBJECT(firewall_keys), .name = "firewall", .finish = finish_firewall,
	.expected = "a mapping such as {allow: [\"443/tcp\"]}",
};
