/* A container and its networks: addresses, ports, wires; and the firewall's rules, which are made
 * from all that is live and go out once for all that changed in one turn. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "engine/internal.h"
#include "engine/networks.h"
#include "engine/resolver.h"

/* ---- addresses ---- */

static int claim_address(const struct endpoint *ep, struct network *n, uint32_t *ip, struct err *e)
{
	const char *asked = ep->asked.ipv4_address;
	int rc;

	if (!asked) {
		/* The one that it had, if that is still free: fewer surprises for people. */
		if (ep->address && !ipv4_parse(ep->address, ip) && !pool_claim(&n->pool, *ip))
			return 0;
		rc = pool_take(&n->pool, ip);
		return rc < 0 ? err_set(e, rc, "no available IPv4 addresses on this network's address "
					"pools: %s", n->name) : 0;
	}
	if (ipv4_parse(asked, ip) < 0)
		return err_set(e, -EINVAL, "invalid IPv4 address: %.64s", asked);
	rc = pool_claim(&n->pool, *ip);
	if (rc == -EADDRINUSE)
		return err_set(e, -EBUSY, "Address already in use: %s on network %s", asked, n->name);
	return rc < 0 ? err_set(e, -EINVAL, "invalid endpoint settings: no configured subnet or ip-range "
				"contain the IP address %s", asked) : 0;
}

static unsigned free_slot(const struct container *c)
{
	unsigned slot = 0;

	for (size_t i = 0; i < c->endpoints.count;) {
		const struct endpoint *ep = &c->endpoints.items[i++];

		if (!ep->network || ep->slot != slot)
			continue;
		slot++;
		i = 0;
	}
	return slot;
}

static int take_endpoint(struct container *c, struct endpoint *ep, struct err *e)
{
	char text[IPV4_TEXT_MAX];
	struct network *n;
	char *address;
	int rc = network_find(c->engine, ep->asked.name, &n, e);

	if (!rc)
		rc = network_ensure(c->engine, n, e);
	if (!rc)
		rc = claim_address(ep, n, &ep->ip, e);
	if (rc < 0)
		return rc;
	address = strdup(ipv4_text(ep->ip, text));
	if (!address) {
		pool_release(&n->pool, ep->ip);
		return err_set(e, -ENOMEM, "out of memory");
	}
	free(ep->address);
	ep->address = address;
	ep->slot = free_slot(c);
	ep->network = n;
	return 0;
}

static void release_endpoint(struct container *c, struct endpoint *ep)
{
	struct err e = { 0 };

	if (!ep->network)
		return;
	if (ep->wired && bridge_detach(c->engine->netlink, c->id, (unsigned)ep->slot, &e) < 0)
		log_warn("container \"%s\": %s", c->name, e.text);
	if (ep->wired)
		network_event(c->engine, ep->network, "disconnect", c);
	pool_release(&ep->network->pool, ep->ip);
	ep->wired = false;
	ep->network = NULL;
}

const struct endpoint *network_gateway(const struct container *c)
{
	const struct endpoint *best = NULL;

	for (size_t i = 0; i < c->endpoints.count; i++) {
		const struct endpoint *ep = &c->endpoints.items[i];

		if (ep->network && !ep->network->internal &&
		    (!best || ep->asked.gw_priority > best->asked.gw_priority))
			best = ep;
	}
	return best;
}

/* ---- ports ---- */

/* Neighbours with the same distance between host and container become one range. */
static bool join(struct publish *last, const struct publish *p)
{
	if (last->protocol != p->protocol || last->host_ip != p->host_ip ||
	    last->last + 1 != p->first || last->to_first - last->first != p->to_first - p->first)
		return false;
	last->last = p->last;
	return true;
}

static bool is_choice(const struct spec_port *port)
{
	return !port->published || port->published_end;
}

/* The first that is free. */
static int claim_of_range(struct container *c, const struct spec_port *port, struct publish *p,
			  struct err *e)
{
	int rc = -EADDRINUSE;

	for (int64_t at = port->published; rc == -EADDRINUSE && at <= port->published_end; at++) {
		p->first = p->last = (uint16_t)at;
		rc = ports_claim(c->engine->ports, p, c, c->name, e);
	}
	return rc;
}

static int publish_one(struct container *c, const struct spec_port *port, const char *chosen,
		       struct publish *p, struct err *e)
{
	struct ports *ports = c->engine->ports;

	p->to_first = (uint16_t)port->target;
	if (port->host_ip && *port->host_ip && ipv4_parse(port->host_ip, &p->host_ip) < 0)
		return err_set(e, -EINVAL, "publish port %lld: \"%s\" is no IPv4 address",
			       (long long)port->target, port->host_ip);
	if (protocol_parse(port->protocol, &p->protocol) < 0)
		return err_set(e, -EINVAL, "publish port %lld: protocol \"%s\" is not known",
			       (long long)port->target, port->protocol);
	p->first = p->last = (uint16_t)(is_choice(port) ? atoi(chosen) : port->published);
	if (p->first)
		return ports_claim(ports, p, c, c->name, e);
	return port->published ? claim_of_range(c, port, p, e) :
				 ports_claim_any(ports, p, 1, c, c->name, e);
}

static int remember_choice(struct string_list *list, const struct spec_port *port,
			   const struct publish *p)
{
	char text[8] = "0";

	if (is_choice(port))
		snprintf(text, sizeof(text), "%u", p->first);
	return string_list_add(list, text);
}

static int publish_all(struct container *c, const struct endpoint *to, bool keep,
		       struct string_list *chosen, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < c->spec.ports.count; i++) {
		const char *before = keep && i < c->chosen.count ? c->chosen.items[i] : "0";
		struct publish *last = c->published + c->published_count;
		struct publish p = { .to_ip = to->ip };

		rc = publish_one(c, &c->spec.ports.items[i], before, &p, e);
		if (!rc)
			rc = remember_choice(chosen, &c->spec.ports.items[i], &p);
		if (!rc && (!c->published_count || !join(last - 1, &p))) {
			*last = p;
			c->published_count++;
		}
	}
	return rc;
}

/* To the network that its default route is by: a port of a container without a way out is not
 * published. `keep`: it lives and has its ports; only the books are to be filled. */
static int publish_ports(struct container *c, bool keep, struct err *e)
{
	const struct endpoint *to = network_gateway(c);
	struct string_list chosen = { 0 };
	int rc;

	ports_release(c->engine->ports, c);
	free(c->published);
	c->published_count = 0;
	c->published = calloc(c->spec.ports.count + 1, sizeof(*c->published));
	if (!c->published)
		return err_set(e, -ENOMEM, "out of memory");
	if (!to || !c->spec.ports.count)
		return 0;
	rc = publish_all(c, to, keep, &chosen, e);
	if (!rc)
		rc = bridge_route_localnet(&to->network->bridge, e);
	if (rc < 0) {
		string_list_free(&chosen);
		return rc;
	}
	string_list_free(&c->chosen);
	c->chosen = chosen;
	return 0;
}

/* ---- wires ---- */

static int open_netns(const struct container *c, struct err *e)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", c->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open the container's network") : fd;
}

void endpoint_mac(const struct endpoint *ep, uint8_t mac[6])
{
	if (!ep->asked.mac_address || mac_parse(ep->asked.mac_address, mac) < 0)
		bridge_mac(ep->ip, mac);
}

/* Who was given the right to change its links is believed what it says by them. */
static bool may_change_links(const struct container *c)
{
	static const char *const names[] = { "NET_ADMIN", "CAP_NET_ADMIN", "ALL" };

	for (size_t i = 0; i < c->spec.cap_add.count; i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			if (!strcasecmp(c->spec.cap_add.items[i], names[k]))
				return true;
	return c->spec.privileged;
}

static int attach(struct container *c, struct endpoint *ep, int netns, struct err *e)
{
	struct wire w = { .id = c->id, .slot = (unsigned)ep->slot, .netns_fd = netns, .ip = ep->ip };
	int rc;

	endpoint_mac(ep, w.mac);
	w.guarded = !may_change_links(c);
	rc = bridge_attach(&ep->network->bridge, &w, e);
	if (rc < 0)
		return rc;
	ep->wired = true;
	network_event(c->engine, ep->network, "connect", c);
	return 0;
}

static int route_out(const struct container *c, int netns, struct err *e)
{
	const struct endpoint *out = network_gateway(c);

	return bridge_default_route(netns, out ? (unsigned)out->slot : 0,
				    out ? out->network->bridge.gateway : 0, e);
}

/* ---- the container's life ---- */

int network_prepare(struct container *c, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < c->endpoints.count; i++)
		if (!c->endpoints.items[i].network)
			rc = take_endpoint(c, &c->endpoints.items[i], e);
	if (!rc)
		rc = publish_ports(c, false, e);
	if (rc < 0)
		network_release(c);
	else if (c->endpoints.count)
		network_rules_changed(c->engine);
	return rc;
}

int network_connect(struct container *c, struct err *e)
{
	autoclose int netns = -1;
	int rc = 0;

	if (!c->endpoints.count)
		return 0;
	netns = open_netns(c, e);
	if (netns < 0)
		return netns;
	for (size_t i = 0; !rc && i < c->endpoints.count; i++)
		if (c->endpoints.items[i].network)
			rc = attach(c, &c->endpoints.items[i], netns, e);
	if (!rc)
		rc = route_out(c, netns, e);
	if (!rc && resolver_wanted(c))
		resolver_attach(c, netns);
	return rc;
}

static int adopt_endpoint(struct container *c, struct endpoint *ep, struct err *e)
{
	struct network *n;
	int rc = network_find(c->engine, ep->asked.name, &n, e);

	if (!rc)
		rc = network_ensure(c->engine, n, e);
	if (!rc && (!ep->address || ipv4_parse(ep->address, &ep->ip) < 0))
		rc = err_set(e, -EINVAL, "it has no address on %s", n->name);
	if (rc < 0)
		return rc;
	rc = pool_claim(&n->pool, ep->ip);
	if (rc < 0)
		return err_code(e, rc, "its address %s cannot be claimed", ep->address);
	ep->network = n;
	ep->wired = true;
	return 0;
}

int network_adopt(struct container *c, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < c->endpoints.count; i++)
		rc = adopt_endpoint(c, &c->endpoints.items[i], e);
	if (!rc && c->endpoints.count)
		rc = publish_ports(c, true, e);
	if (c->endpoints.count)
		network_rules_changed(c->engine);
	if (!rc && resolver_wanted(c)) {
		autoclose int netns = open_netns(c, e);

		if (netns >= 0)
			resolver_attach(c, netns);
	}
	return rc;
}

void network_release(struct container *c)
{
	struct engine *en = c->engine;

	ports_release(en->ports, c);
	if (c->published_count)
		network_rules_changed(en);
	c->published_count = 0;
	if (resolver_wanted(c))
		resolver_changed(en);
	for (size_t i = 0; i < c->endpoints.count; i++)
		release_endpoint(c, &c->endpoints.items[i]);
}

/* ---- while it lives ---- */

/* Its way out may be another one now, and with it where its ports lead. */
static int changed(struct container *c, uint32_t gateway_before, struct err *e)
{
	const struct endpoint *out = network_gateway(c);
	autoclose int netns = -1;
	int rc = 0;

	if ((out ? out->ip : 0) == gateway_before)
		return 0;
	if (c->pid > 0) {
		netns = open_netns(c, e);
		rc = netns < 0 ? netns : route_out(c, netns, e);
	}
	if (!rc)
		rc = publish_ports(c, true, e);
	network_rules_changed(c->engine);
	return rc;
}

static uint32_t gateway_now(const struct container *c)
{
	const struct endpoint *out = network_gateway(c);

	return out ? out->ip : 0;
}

/* The first network of people's own brings names along, the last takes them away. */
static void names_changed(struct container *c, bool before, int netns)
{
	struct err e = { 0 };
	bool now = resolver_wanted(c);

	if (now && !before && netns >= 0)
		resolver_attach(c, netns);
	if (now != before && bundle_write_resolv(c, true, &e) < 0)
		log_warn("container \"%s\": %s", c->name, e.text);
	resolver_changed(c->engine);
}

int network_join(struct container *c, struct endpoint *ep, struct err *e)
{
	uint32_t before = gateway_now(c);
	bool had_names = resolver_wanted(c);
	autoclose int netns = -1;
	int rc;

	if (!container_is_live(c))
		return 0;
	rc = take_endpoint(c, ep, e);
	/* Before it has a process: its start will attach it. */
	if (!rc && c->pid > 0) {
		netns = open_netns(c, e);
		rc = netns < 0 ? netns : attach(c, ep, netns, e);
	}
	if (!rc)
		rc = changed(c, before, e);
	if (rc < 0)
		release_endpoint(c, ep);
	else
		names_changed(c, had_names, netns);
	return rc;
}

int network_leave(struct container *c, struct endpoint *ep, struct err *e)
{
	uint32_t before = gateway_now(c);
	bool had_names = resolver_wanted(c);

	if (!ep->network)
		return 0;
	release_endpoint(c, ep);
	names_changed(c, had_names, -1);
	return changed(c, before, e);
}

/* ---- the rules ---- */

static size_t count_published(const struct engine *en)
{
	size_t n = 0;

	for (size_t i = 0; i < en->count; i++)
		n += en->containers[i]->published_count;
	return n;
}

static int apply_all_rules(const struct engine *en, struct err *e)
{
	autofree struct publish *all = calloc(count_published(en) + 1, sizeof(*all));
	struct ruleset r = { .closed_forward = en->forwarding_is_ours, .published = all };
	autofree struct rule_network *networks = networks_rules(en, &r.network_count);

	if (!all || !networks)
		return err_set(e, -ENOMEM, "set the firewall's rules: out of memory");
	r.networks = networks;
	for (size_t i = 0; i < en->count; i++) {
		const struct container *c = en->containers[i];

		for (size_t k = 0; k < c->published_count; k++)
			all[r.count++] = c->published[k];
	}
	return ruleset_apply(&r, e);
}

static void apply_rules(struct loop *l, void *arg)
{
	struct engine *en = arg;
	struct err e = { 0 };
	int rc;

	(void)l;
	en->firewall_timer = NULL;
	rc = apply_all_rules(en, &e);
	start_network_changed(en, rc, &e);
}

void network_rules_changed(struct engine *en)
{
	if (!en->firewall_timer)
		en->firewall_timer = loop_timer(en->loop, 0, apply_rules, en);
}

bool network_settled(const struct engine *en)
{
	return !en->firewall_timer;
}

/* ---- repair ---- */

static bool link_in_use(const char *link, void *arg)
{
	const struct engine *en = arg;
	char name[IFNAMSIZ];

	for (size_t i = 0; i < en->count; i++) {
		const struct container *c = en->containers[i];

		for (size_t k = 0; k < c->endpoints.count; k++) {
			const struct endpoint *ep = &c->endpoints.items[k];

			bridge_link_name(c->id, (unsigned)ep->slot, name);
			if (ep->network && !strcmp(name, link))
				return true;
		}
	}
	return false;
}

/* A network whose link is there was in use in this boot; its rules have to be told anew. */
void network_repair(struct engine *en)
{
	struct err e = { 0 };
	int removed;

	for (size_t i = 0; i < en->network_count; i++) {
		struct network *n = en->networks[i];
		char path[64 + IFNAMSIZ];

		snprintf(path, sizeof(path), "/sys/class/net/%.15s", n->link ? n->link : "none");
		if (n->link && !access(path, F_OK) && network_ensure(en, n, &e) < 0)
			log_error("%s", e.text);
	}
	if (!en->netlink)
		return;
	removed = bridge_repair(en->netlink, link_in_use, en, &e);
	if (removed < 0)
		log_error("leftover links of containers: %s", e.text);
	else if (removed)
		log_info("removed %d leftover link%s of containers", removed, removed == 1 ? "" : "s");
	network_rules_changed(en);
}
