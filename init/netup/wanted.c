/* The addresses, routes and rules that there should be: of the definitions and of the leases. */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "netup/manager.h"
#include "netup/netup.h"

/* The kernel's metric of IPv6 routes that say none. */
enum { IPV6_METRIC = 1024 };

static bool take(yyjson_val *object, const char *key, struct netlink_addr *out)
{
	const char *text = plan_text(object, key);

	return *text && netlink_addr_parse(text, out) == 0;
}

static uint32_t number(yyjson_val *object, const char *key)
{
	return (uint32_t)plan_number(object, key, 0);
}

/* A network's own bits alone: the kernel refuses others. */
static void mask(struct netlink_addr *a)
{
	size_t size = a->family == AF_INET ? 4 : 16;

	for (size_t bit = a->prefix; bit < size * 8; bit++)
		a->bytes[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
}

static bool is_inside(const struct netlink_addr *net, const struct netlink_addr *host)
{
	if (net->family != host->family)
		return false;
	for (unsigned bit = 0; bit < net->prefix; bit++)
		if ((net->bytes[bit / 8] ^ host->bytes[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

static void add_address(struct wanted *w, const struct port *p, const struct netlink_addr *a,
			const struct netlink_addr_options *o)
{
	for (size_t i = 0; i < w->address_count; i++)
		if (w->addresses[i].port == p && memcmp(&w->addresses[i].addr, a, sizeof(*a)) == 0)
			return;
	if (w->address_count < WANTED_MAX)
		w->addresses[w->address_count++] = (struct wanted_address){ *a, *o, p };
}

/* As the kernel will list it, so that the two can be compared. */
static void add_route(struct wanted *w, const struct port *p, struct netlink_route r)
{
	if (!r.to.family)
		r.to.family = r.via.family;
	mask(&r.to);
	if (!r.metric && r.to.family == AF_INET6)
		r.metric = IPV6_METRIC;
	if (!r.table)
		r.table = RT_TABLE_MAIN;
	if (!r.type)
		r.type = RTN_UNICAST;
	r.index = p->is.index;
	if (w->route_count == WANTED_MAX)
		return;
	w->routes[w->route_count] = r;
	w->route_ports[w->route_count++] = p;
}

/* ---- what the definition says ---- */
static void static_addresses(struct wanted *w, const struct port *p)
{
	yyjson_val *one;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(p->plan, "addresses"), i, max, one) {
		const char *label = plan_text(one, "label");
		struct netlink_addr_options o = {
			.label = *label ? label : NULL,
			.protocol = NETUP_STATIC,
			.deprecated = strcmp(plan_text(one, "lifetime"), "0") == 0,
		};
		struct netlink_addr a;

		if (!take(one, "address", &a))
			continue;
		if (a.family != AF_INET)
			o.label = NULL;
		add_address(w, p, &a, &o);
	}
}

static uint8_t type_of(const char *word)
{
	static const struct {
		const char *word;
		uint8_t type;
	} types[] = {
		{ "anycast", RTN_ANYCAST },	{ "blackhole", RTN_BLACKHOLE },
		{ "broadcast", RTN_BROADCAST }, { "local", RTN_LOCAL },
		{ "multicast", RTN_MULTICAST }, { "prohibit", RTN_PROHIBIT },
		{ "throw", RTN_THROW },		{ "unreachable", RTN_UNREACHABLE },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].word, word) == 0)
			return types[i].type;
	return RTN_UNICAST;
}

static enum netlink_scope scope_of(const char *word)
{
	return strcmp(word, "link") == 0   ? NETLINK_SCOPE_LINK :
	       strcmp(word, "host") == 0   ? NETLINK_SCOPE_HOST :
	       strcmp(word, "global") == 0 ? NETLINK_SCOPE_GLOBAL : NETLINK_SCOPE_AUTO;
}

static void static_routes(struct wanted *w, const struct port *p)
{
	yyjson_val *one;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(p->plan, "routes"), i, max, one) {
		struct netlink_route r = {
			.metric = number(one, "metric"), .table = number(one, "table"),
			.mtu = number(one, "mtu"), .type = type_of(plan_text(one, "type")),
			.congestion_window = number(one, "congestion-window"),
			.receive_window = number(one, "advertised-receive-window"),
			.scope = scope_of(plan_text(one, "scope")),
			.onlink = plan_bool(one, "on-link", false), .protocol = NETUP_STATIC,
		};

		take(one, "via", &r.via);
		take(one, "from", &r.source);
		if (!take(one, "to", &r.to))
			continue;
		/* Two links' default routes are two routes, the first link's goes first. */
		if (!yyjson_obj_get(one, "metric") && r.to.prefix == 0)
			r.metric = NETUP_METRIC_STATIC + (uint32_t)p->is.index;
		add_route(w, p, r);
	}
}

/* "Any" is not said by the kernel. */
static void normalise(struct netlink_addr *a)
{
	mask(a);
	if (a->prefix == 0)
		*a = (struct netlink_addr){ 0 };
}

static void rules(struct wanted *w, const struct port *p)
{
	yyjson_val *one;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(p->plan, "routing-policy"), i, max, one) {
		struct netlink_rule r = {
			.table = number(one, "table"), .priority = number(one, "priority"),
			.mark = number(one, "mark"), .protocol = NETUP_STATIC,
			.tos = (uint8_t)number(one, "type-of-service"),
		};

		take(one, "from", &r.from);
		take(one, "to", &r.to);
		r.family = r.from.family ? r.from.family : r.to.family ? r.to.family : AF_INET;
		normalise(&r.from);
		normalise(&r.to);
		if (w->rule_count < WANTED_MAX)
			w->rules[w->rule_count++] = r;
	}
}

/* ---- what the leases say ---- */

/* Clouds give /32 addresses with a gateway outside: that gateway is on the link. */
static void lease_routes(struct wanted *w, const struct port *p, const struct lease *l)
{
	yyjson_val *overrides = plan_overrides(p->plan, AF_INET);
	uint32_t metric = (uint32_t)plan_number(overrides, "route-metric",
						NETUP_METRIC_DHCP + p->is.index);

	if (!plan_bool(overrides, "use-routes", true))
		return;
	for (size_t i = 0; i < l->route_count; i++) {
		const struct lease_route *from = &l->routes[i];
		struct netlink_route r = {
			.to = from->to, .via = from->via, .source = l->address, .metric = metric,
			.protocol = NETUP_DHCP,
			.onlink = from->via.family && !is_inside(&l->address, &from->via),
		};

		add_route(w, p, r);
	}
}

static void lease(struct wanted *w, const struct port *p, const struct lease_file *f)
{
	static const struct netlink_addr_options o = { .protocol = NETUP_DHCP };

	if (!f->valid || !f->lease.address.family)
		return;
	add_address(w, p, &f->lease.address, &o);
	if (f->lease.address.family == AF_INET)
		lease_routes(w, p, &f->lease);
}

void wanted_collect(const struct manager *m, struct wanted *w)
{
	w->address_count = w->route_count = w->rule_count = 0;
	for (size_t i = 0; i < m->count; i++) {
		const struct port *p = m->ports[i];

		if (!port_carries(p))
			continue;
		static_addresses(w, p);
		lease(w, p, &p->lease4);
		lease(w, p, &p->lease6);
		static_routes(w, p);
		rules(w, p);
	}
}
