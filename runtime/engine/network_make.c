/* Networks' links and addresses: what is asked for is checked, the rest chosen, and it is made. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/internal.h"
#include "engine/networks.h"

enum { TAKEN_MAX = 256 };

/* ---- links and addresses ---- */

static int open_netlink(struct engine *en, struct network *n, struct err *e)
{
	int rc = en->netlink ? 0 : netlink_open(&en->netlink, e);

	n->bridge.nl = en->netlink;
	return rc;
}

/* Of the other networks, whether or not their links are there. */
static size_t subnets_of_others(const struct engine *en, const struct network *self,
				struct subnet *out, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < en->network_count && count < max; i++) {
		const struct network *n = en->networks[i];

		if (n == self || strcmp(n->driver, "bridge"))
			continue;
		if (n->bridge.subnet.prefix)
			out[count++] = n->bridge.subnet;
		else if (n->subnet && !subnet_parse(n->subnet, &out[count]))
			count++;
	}
	return count;
}

static int choose(struct engine *en, struct network *n, struct err *e)
{
	struct subnet taken[TAKEN_MAX];
	size_t count = subnets_of_others(en, n, taken, TAKEN_MAX);
	int rc = open_netlink(en, n, e);

	snprintf(n->bridge.name, sizeof(n->bridge.name), "%s", n->link);
	return rc < 0 ? rc : bridge_choose(&n->bridge, taken, count, e);
}

static int make_pool(struct network *n, struct err *e)
{
	int rc;

	pool_free(&n->pool);
	rc = pool_init(&n->pool, n->bridge.subnet, n->bridge.gateway);
	if (rc < 0)
		return err_code(e, rc, "addresses of network \"%s\"", n->name);
	n->bridge.gateway = n->pool.gateway;
	if (n->ip_range)
		subnet_parse(n->ip_range, &n->pool.range);
	return 0;
}

static int parse_subnet(struct network *n, struct err *e)
{
	snprintf(n->bridge.name, sizeof(n->bridge.name), "%s", n->link);
	if (subnet_parse(n->subnet, &n->bridge.subnet) < 0 ||
	    ipv4_parse(n->gateway, &n->bridge.gateway) < 0)
		return err_set(e, -EINVAL, "network \"%s\": its record is damaged", n->name);
	n->bridge.mtu = (unsigned)n->mtu;
	return 0;
}

static int forward(struct engine *en, struct err *e)
{
	char mark[PATH_MAX];

	snprintf(mark, sizeof(mark), "%s/forwarding", en->paths.engine_run);
	return bridge_forward(mark, &en->forwarding_is_ours, e);
}

int network_ensure(struct engine *en, struct network *n, struct err *e)
{
	int rc;

	if (n->ready)
		return 0;
	if (strcmp(n->driver, "bridge"))
		return err_set(e, -EINVAL, "network \"%s\" has no addresses", n->name);
	rc = n->builtin ? choose(en, n, e) : parse_subnet(n, e);
	if (!rc)
		rc = open_netlink(en, n, e);
	if (!rc)
		rc = make_pool(n, e);
	if (!rc)
		rc = bridge_ensure(&n->bridge, e);
	if (!rc && !n->internal)
		rc = forward(en, e);
	n->ready = !rc;
	if (!rc)
		network_rules_changed(en);
	return rc;
}

/* ---- making one ---- */

static int clash(const char *what, const struct subnet *s, const struct subnet *taken, size_t count,
		 struct err *e)
{
	char text[SUBNET_TEXT_MAX], other[SUBNET_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		if (subnet_overlaps(*s, taken[i]))
			return err_set(e, -EACCES, "invalid pool request: Pool overlaps with other one on "
				       "this address space: %s and %s, %s", subnet_text(*s, text),
				       subnet_text(taken[i], other), what);
	return 0;
}

static int check_clash(struct engine *en, const struct network *n, struct err *e)
{
	struct subnet taken[TAKEN_MAX];
	size_t count = subnets_of_others(en, n, taken, TAKEN_MAX);
	int rc = clash("another network's", &n->bridge.subnet, taken, count, e);

	if (rc < 0)
		return rc;
	count = bridge_routes(NULL, taken, TAKEN_MAX);
	return clash("a route of the host", &n->bridge.subnet, taken, count, e);
}

static int take_subnet(struct engine *en, struct network *n, struct err *e)
{
	struct subnet *s = &n->bridge.subnet;
	char text[SUBNET_TEXT_MAX];

	if (!n->subnet)
		return choose(en, n, e);
	if (subnet_parse(n->subnet, s) < 0)
		return err_set(e, -EINVAL, "invalid subnet %.64s: not an IPv4 network", n->subnet);
	if (strcmp(subnet_text(*s, text), n->subnet))
		return err_set(e, -EINVAL, "invalid subnet %.64s: it should be %s", n->subnet, text);
	return check_clash(en, n, e);
}

static int take_gateway(struct network *n, struct err *e)
{
	struct subnet range;

	if (n->gateway && (ipv4_parse(n->gateway, &n->bridge.gateway) < 0 ||
			   !subnet_holds(n->bridge.subnet, n->bridge.gateway)))
		return err_set(e, -EINVAL, "no matching subnet for gateway %.64s", n->gateway);
	if (n->ip_range && (subnet_parse(n->ip_range, &range) < 0 ||
			    range.prefix < n->bridge.subnet.prefix ||
			    !subnet_holds(n->bridge.subnet, range.network)))
		return err_set(e, -EINVAL, "no matching subnet for range %.64s", n->ip_range);
	if (n->mtu < 0 || (n->mtu && n->mtu < 68) || n->mtu > 65535)
		return err_set(e, -EINVAL, "invalid MTU %lld: 68 to 65535", (long long)n->mtu);
	n->bridge.mtu = (unsigned)n->mtu;
	return make_pool(n, e);
}

/* The text of what was chosen, for the record. */
static int write_down(struct network *n)
{
	char text[SUBNET_TEXT_MAX];

	if (!n->subnet)
		n->subnet = strdup(subnet_text(n->bridge.subnet, text));
	if (!n->gateway)
		n->gateway = strdup(ipv4_text(n->bridge.gateway, text));
	return n->subnet && n->gateway ? 0 : -ENOMEM;
}

static int check_name(const struct engine *en, const struct network *n, struct err *e)
{
	const char *name = n->name ? n->name : "";
	struct network *there;

	/* docker takes names of one character, too. */
	if (!strcmp(name, "default") || !(container_name_valid(name) ||
	    (name[0] && !name[1] && container_name_valid((char[]){ name[0], 'x', '\0' }))))
		return err_set(e, -EINVAL, "invalid network name \"%.128s\": only "
			       "[a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
	for (size_t i = 0; i < en->network_count; i++) {
		there = en->networks[i];
		if (!strcmp(there->name, name))
			return err_set(e, -EEXIST, "network with name %s already exists", name);
	}
	return 0;
}

static bool link_name_valid(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && !strpbrk(name, "/ \t\n:%") && strcmp(name, ".") &&
	       strcmp(name, "..") && strcmp(name, "lo");
}

static int take_link(struct engine *en, struct network *n, struct err *e)
{
	struct netlink_link there;
	int rc = open_netlink(en, n, e);

	if (rc < 0)
		return rc;
	if (!n->link && asprintf(&n->link, "br-%.12s", n->id) < 0) {
		n->link = NULL;
		return err_set(e, -ENOMEM, "out of memory");
	}
	if (!link_name_valid(n->link))
		return err_set(e, -EINVAL, "invalid name of a bridge: \"%.64s\"", n->link);
	for (size_t i = 0; i < en->network_count; i++)
		if (en->networks[i]->link && !strcmp(en->networks[i]->link, n->link))
			return err_set(e, -EACCES, "the host has a link \"%s\" already, of network \"%s\"",
				       n->link, en->networks[i]->name);
	if (!netlink_link_get(en->netlink, n->link, &there, NULL))
		return err_set(e, -EACCES, "the host has a link \"%s\" already", n->link);
	snprintf(n->bridge.name, sizeof(n->bridge.name), "%s", n->link);
	return 0;
}

static int settle(struct engine *en, struct network *n, struct err *e)
{
	int rc = check_name(en, n, e);

	n->id = malloc(CONTAINER_ID_LEN + 1);
	n->driver = "bridge";
	n->created_ns = clock_wall_ns();
	if (!rc && (!n->id || container_random_id(n->id) < 0))
		rc = err_set(e, -ENOMEM, "no id for the network");
	/* The default one's subnet is not to be given away before its first container starts. */
	if (!rc && !en->networks[0]->bridge.subnet.prefix)
		rc = choose(en, en->networks[0], e);
	if (!rc)
		rc = take_link(en, n, e);
	if (!rc)
		rc = take_subnet(en, n, e);
	if (!rc)
		rc = take_gateway(n, e);
	if (!rc && write_down(n) < 0)
		rc = err_set(e, -ENOMEM, "out of memory");
	return rc;
}

static void forget(struct engine *en, struct network *n)
{
	struct err e = { 0 };

	if (n->bridge.nl && bridge_remove(&n->bridge, &e) < 0)
		log_warn("network \"%s\": %s", n->name, e.text);
	network_unlink(en, n);
	networks_drop(en, n);
	if (n->ready)
		network_rules_changed(en);
}

int network_create(struct engine *en, struct network *asked, struct network **out, struct err *e)
{
	struct network *n = malloc(sizeof(*n));
	int rc;

	if (!n)
		return err_set(e, -ENOMEM, "out of memory");
	*n = *asked;
	*asked = (struct network){ .id = NULL };
	rc = settle(en, n, e);
	if (rc < 0) {
		network_free(n);
		return rc;
	}
	rc = network_save(en, n, e);
	if (!rc && networks_add(en, n) < 0)
		rc = err_set(e, -ENOMEM, "out of memory");
	if (!rc)
		rc = network_ensure(en, n, e);
	if (rc < 0) {
		forget(en, n);
		network_free(n);
		return rc;
	}
	network_event(en, n, "create", NULL);
	*out = n;
	return 0;
}

int network_remove(struct engine *en, struct network *n, struct err *e)
{
	if (n->builtin)
		return err_set(e, -EACCES, "%s is a pre-defined network and cannot be removed", n->name);
	for (size_t i = 0; i < en->count; i++) {
		const struct container *c = en->containers[i];

		if (network_endpoint(n, c))
			return err_set(e, -EACCES, "error while removing network: network %s has active "
				       "endpoints (name:\"%s\" id:\"%.12s\")", n->name, c->name, c->id);
	}
	forget(en, n);
	network_event(en, n, "destroy", NULL);
	network_free(n);
	return 0;
}
