/* A container and the bridge: its address, its ports, its wire; and the firewall's rules, which
 * is made from all live containers and goes out once for all that changed in one turn. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "engine/internal.h"

static int ensure_bridge(struct engine *en, struct err *e)
{
	char mark[PATH_MAX];
	int rc;

	if (en->bridge_ready)
		return 0;
	snprintf(mark, sizeof(mark), "%s/forwarding", en->paths.engine_run);
	rc = bridge_choose(&en->bridge, en->paths.bridge, e);
	if (!rc)
		rc = bridge_ensure(&en->bridge, mark, e);
	if (!rc) {
		pool_free(&en->pool);
		rc = pool_init(&en->pool, en->bridge.subnet);
		if (rc < 0)
			return err_code(e, rc, "addresses of %s", en->paths.bridge);
		en->bridge_ready = true;
	}
	return rc;
}

static int take_address(struct container *c, struct err *e)
{
	struct pool *pool = &c->engine->pool;

	if (c->ip_taken)
		return 0;
	/* The one that it had, if that is still free: fewer surprises for people. */
	if (!c->ip || pool_claim(pool, c->ip) < 0) {
		uint32_t ip;

		if (pool_take(pool, &ip) < 0)
			return err_set(e, -ENOSPC, "no free address on %s", c->engine->paths.bridge);
		c->ip = ip;
	}
	c->ip_taken = true;
	return 0;
}

/* Neighbours with the same distance between host and container become one range. */
static bool join(struct publish *last, const struct publish *p)
{
	if (last->protocol != p->protocol || last->host_ip != p->host_ip ||
	    last->last + 1 != p->first || last->to_first - last->first != p->to_first - p->first)
		return false;
	last->last = p->last;
	return true;
}

static int publish_one(struct container *c, const struct spec_port *port, const char *chosen,
		       struct publish *p, struct err *e)
{
	struct ports *ports = c->engine->ports;

	*p = (struct publish){ .to_ip = c->ip, .to_first = (uint16_t)port->target };
	if (port->host_ip && *port->host_ip && ipv4_parse(port->host_ip, &p->host_ip) < 0)
		return err_set(e, -EINVAL, "publish port %lld: \"%s\" is no IPv4 address",
			       (long long)port->target, port->host_ip);
	if (protocol_parse(port->protocol, &p->protocol) < 0)
		return err_set(e, -EINVAL, "publish port %lld: protocol \"%s\" is not known",
			       (long long)port->target, port->protocol);
	p->first = p->last = (uint16_t)(port->published ? port->published : atoi(chosen));
	if (p->first)
		return ports_claim(ports, p, c, c->name, e);
	return ports_claim_any(ports, p, 1, c, c->name, e);
}

static int remember_choice(struct string_list *list, const struct spec_port *port,
			   const struct publish *p)
{
	char text[8] = "0";

	if (!port->published)
		snprintf(text, sizeof(text), "%u", p->first);
	return string_list_add(list, text);
}

/* `keep`: the container lives and has its ports; only the books are to be filled. */
static int publish_ports(struct container *c, bool keep, struct err *e)
{
	struct string_list chosen = { 0 };
	int rc = 0;

	free(c->published);
	c->published_count = 0;
	c->published = calloc(c->spec.ports.count + 1, sizeof(*c->published));
	if (!c->published)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; !rc && i < c->spec.ports.count; i++) {
		const char *before = keep && i < c->chosen.count ? c->chosen.items[i] : "0";
		struct publish *last = c->published + c->published_count;
		struct publish p;

		rc = publish_one(c, &c->spec.ports.items[i], before, &p, e);
		if (!rc)
			rc = remember_choice(&chosen, &c->spec.ports.items[i], &p);
		if (!rc && (!c->published_count || !join(last - 1, &p))) {
			*last = p;
			c->published_count++;
		}
	}
	if (rc < 0) {
		strings_clear(&chosen);
		return rc;
	}
	strings_clear(&c->chosen);
	c->chosen = chosen;
	return 0;
}

int network_prepare(struct container *c, struct err *e)
{
	int rc;

	if (!container_uses_bridge(c))
		return 0;
	rc = ensure_bridge(c->engine, e);
	if (!rc)
		rc = take_address(c, e);
	if (!rc)
		rc = publish_ports(c, false, e);
	if (!rc && c->published_count)
		rc = bridge_route_localnet(&c->engine->bridge, e);
	if (rc < 0)
		network_release(c);
	else
		network_rules_changed(c->engine);
	return rc;
}

int network_adopt(struct container *c, struct err *e)
{
	int rc;

	if (!container_uses_bridge(c))
		return 0;
	rc = ensure_bridge(c->engine, e);
	if (rc < 0)
		return rc;
	rc = pool_claim(&c->engine->pool, c->ip);
	if (rc < 0)
		return err_code(e, rc, "its address cannot be claimed");
	c->ip_taken = true;
	network_rules_changed(c->engine);
	return publish_ports(c, true, e);
}

int network_connect(struct container *c, struct err *e)
{
	char path[64];
	autoclose int netns = -1;

	if (!container_uses_bridge(c))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", c->pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return err_sys(e, "open the container's network");
	return bridge_attach(&c->engine->bridge, c->id, netns, c->ip, e);
}

void network_release(struct container *c)
{
	struct engine *en = c->engine;
	struct err e = { 0 };

	ports_release(en->ports, c);
	if (c->published_count)
		network_rules_changed(en);
	c->published_count = 0;
	if (!c->ip_taken)
		return;
	if (bridge_detach(&en->bridge, c->id, &e) < 0)
		log_warn("container \"%s\": %s", c->name, e.text);
	pool_release(&en->pool, c->ip);
	c->ip_taken = false;
}

static size_t count_published(const struct engine *en)
{
	size_t n = 0;

	for (size_t i = 0; i < en->count; i++)
		n += en->containers[i]->published_count;
	return n;
}

static int apply_all_rules(const struct engine *en, struct err *e)
{
	size_t room = count_published(en);
	autofree struct publish *all = calloc(room + 1, sizeof(*all));
	struct ruleset r = {
		.bridge = en->bridge.name,
		.subnet = en->bridge.subnet,
		.closed_forward = en->bridge.forwarding_is_ours,
		.published = all,
	};

	if (!all)
		return err_set(e, -ENOMEM, "set the firewall's rules: out of memory");
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

static bool link_in_use(const char *link, void *arg)
{
	const struct engine *en = arg;
	char name[IFNAMSIZ];

	for (size_t i = 0; i < en->count; i++) {
		if (!en->containers[i]->ip_taken)
			continue;
		bridge_link_name(en->containers[i]->id, name);
		if (!strcmp(name, link))
			return true;
	}
	return false;
}

void network_repair(struct engine *en)
{
	struct err e = { 0 };
	char path[64 + IFNAMSIZ];
	int removed;

	snprintf(path, sizeof(path), "/sys/class/net/%s", en->paths.bridge);
	if (access(path, F_OK))
		return;
	if (ensure_bridge(en, &e) < 0) {
		log_error("%s", e.text);
		return;
	}
	removed = bridge_repair(&en->bridge, link_in_use, en, &e);
	if (removed < 0)
		log_error("leftover links on %s: %s", en->paths.bridge, e.text);
	else if (removed)
		log_info("removed %d leftover link%s on %s", removed, removed == 1 ? "" : "s",
			 en->paths.bridge);
	network_rules_changed(en);
}
