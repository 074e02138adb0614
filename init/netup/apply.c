/* Brings the kernel's addresses, routes and rules to those that are wanted. What is there and right
 * is not touched; what carries our mark and is not wanted goes. */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "netup/manager.h"
#include "netup/netup.h"

static bool is_ours(uint8_t protocol)
{
	return protocol == NETUP_STATIC || protocol == NETUP_DHCP;
}

static bool same_host(const struct netlink_addr *a, const struct netlink_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* ---- addresses ---- */
struct found_addresses {
	const struct manager *m;
	struct {
		int index;
		struct netlink_addr addr;
		uint8_t protocol;
	} items[WANTED_MAX];
	size_t count;
};

static void note_address(int index, const struct netlink_addr *a, uint8_t protocol, void *arg)
{
	struct found_addresses *f = arg;

	if (f->count == WANTED_MAX || !port_by_index(f->m, index))
		return;
	f->items[f->count].index = index;
	f->items[f->count].addr = *a;
	f->items[f->count++].protocol = protocol;
}

static bool is_wanted_address(const struct wanted *w, int index, const struct netlink_addr *a)
{
	for (size_t i = 0; i < w->address_count; i++)
		if (w->addresses[i].port->is.index == index &&
		    w->addresses[i].addr.prefix == a->prefix && same_host(&w->addresses[i].addr, a))
			return true;
	return false;
}

static bool is_there(const struct found_addresses *f, const struct wanted_address *w)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->items[i].index == w->port->is.index &&
		    f->items[i].addr.prefix == w->addr.prefix &&
		    same_host(&f->items[i].addr, &w->addr))
			return true;
	return false;
}

static void failed(struct manager *m, const struct port *p, const struct err *e)
{
	m->unsettled = true;
	port_problem((struct port *)p, e);
}

/* The new ones first: an old one takes its routes with it. */
static void apply_addresses(struct manager *m, const struct wanted *w)
{
	autofree struct found_addresses *f = calloc(1, sizeof(*f));
	struct err e = { "" };

	if (!f)
		return;
	f->m = m;
	if (netlink_addrs(m->list, 0, AF_UNSPEC, note_address, f, &e) < 0)
		log_error("%s", e.text);
	for (size_t i = 0; i < w->address_count; i++) {
		const struct wanted_address *a = &w->addresses[i];

		if (!is_there(f, a) && netlink_addr_put(m->nl, a->port->is.index, &a->addr,
							&a->options, &e) < 0)
			failed(m, a->port, &e);
	}
	for (size_t i = 0; i < f->count; i++)
		if (is_ours(f->items[i].protocol) &&
		    !is_wanted_address(w, f->items[i].index, &f->items[i].addr) &&
		    netlink_addr_del(m->nl, f->items[i].index, &f->items[i].addr, &e) < 0)
			log_error("%s", e.text);
}

/* ---- routes ---- */
struct found_routes {
	const struct manager *m;
	struct netlink_route items[WANTED_MAX];
	size_t count;
};

static bool leads_somewhere(const struct netlink_route *r)
{
	return r->type == RTN_UNICAST || r->type == RTN_LOCAL || r->type == RTN_BROADCAST ||
	       r->type == RTN_MULTICAST || r->type == RTN_ANYCAST;
}

static void note_route(const struct netlink_route *r, void *arg)
{
	struct found_routes *f = arg;

	if (f->count < WANTED_MAX && is_ours(r->protocol) &&
	    (!leads_somewhere(r) || port_by_index(f->m, r->index)))
		f->items[f->count++] = *r;
}

static bool same_route(const struct netlink_route *a, const struct netlink_route *b)
{
	return a->to.prefix == b->to.prefix && same_host(&a->to, &b->to) &&
	       same_host(&a->via, &b->via) && a->metric == b->metric && a->table == b->table &&
	       a->type == b->type && a->protocol == b->protocol && a->mtu == b->mtu &&
	       a->congestion_window == b->congestion_window &&
	       a->receive_window == b->receive_window &&
	       (!leads_somewhere(a) || a->index == b->index) &&
	       (!a->source.family || same_host(&a->source, &b->source));
}

static bool has_route(const struct netlink_route *list, size_t count, const struct netlink_route *r,
		      bool list_is_wanted)
{
	for (size_t i = 0; i < count; i++)
		if (list_is_wanted ? same_route(&list[i], r) : same_route(r, &list[i]))
			return true;
	return false;
}

/* A link that is down has no routes; one without a carrier may. */
static bool can_have(const struct port *p)
{
	return p->is.flags & IFF_UP;
}

/* Those on link first: a router must be reachable before a route leads there. */
static void apply_routes(struct manager *m, const struct wanted *w)
{
	autofree struct found_routes *f = calloc(1, sizeof(*f));
	struct err e = { "" };

	if (!f)
		return;
	f->m = m;
	if (netlink_routes(m->list, note_route, f, &e) < 0)
		log_error("%s", e.text);
	for (size_t i = 0; i < f->count; i++)
		if (!has_route(w->routes, w->route_count, &f->items[i], true) &&
		    netlink_route_del(m->nl, &f->items[i], &e) < 0)
			log_error("%s", e.text);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < w->route_count; i++) {
			const struct netlink_route *r = &w->routes[i];

			if ((r->via.family == 0) != (pass == 0) || !can_have(w->route_ports[i]) ||
			    has_route(f->items, f->count, r, false))
				continue;
			if (netlink_route_add(m->nl, r, &e) < 0)
				failed(m, w->route_ports[i], &e);
		}
}

/* ---- rules ---- */
struct found_rules {
	struct netlink_rule items[WANTED_MAX];
	size_t count;
};

static void note_rule(const struct netlink_rule *r, void *arg)
{
	struct found_rules *f = arg;

	if (f->count < WANTED_MAX && r->protocol == NETUP_STATIC)
		f->items[f->count++] = *r;
}

/* The kernel gives a rule without a priority one of its own. */
static bool same_rule(const struct netlink_rule *wanted, const struct netlink_rule *is)
{
	return wanted->family == is->family && wanted->from.prefix == is->from.prefix &&
	       wanted->to.prefix == is->to.prefix && same_host(&wanted->from, &is->from) &&
	       same_host(&wanted->to, &is->to) && wanted->table == is->table &&
	       wanted->mark == is->mark && wanted->tos == is->tos &&
	       (!wanted->priority || wanted->priority == is->priority);
}

static void apply_rules(struct manager *m, const struct wanted *w)
{
	autofree struct found_rules *f = calloc(1, sizeof(*f));
	struct err e = { "" };

	if (!f)
		return;
	if (netlink_rules(m->list, note_rule, f, &e) < 0)
		log_error("%s", e.text);
	for (size_t i = 0; i < f->count; i++) {
		bool wanted = false;

		for (size_t k = 0; k < w->rule_count; k++)
			wanted = wanted || same_rule(&w->rules[k], &f->items[i]);
		if (!wanted && netlink_rule_del(m->nl, &f->items[i], &e) < 0)
			log_error("%s", e.text);
	}
	for (size_t k = 0; k < w->rule_count; k++) {
		bool there = false;

		for (size_t i = 0; i < f->count; i++)
			there = there || same_rule(&w->rules[k], &f->items[i]);
		if (!there && netlink_rule_add(m->nl, &w->rules[k], &e) < 0) {
			m->unsettled = true;
			log_error("%s", e.text);
		}
	}
}

void apply_wanted(struct manager *m, const struct wanted *w)
{
	apply_addresses(m, w);
	apply_routes(m, w);
	apply_rules(m, w);
}
