/* Which networks a container is on: from its making, and changed by connect and disconnect. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/internal.h"
#include "engine/networks.h"
#include "engine/saved.h"

int mac_parse(const char *text, uint8_t mac[6])
{
	unsigned b[6];
	char rest;

	if (strlen(text) != 17 ||
	    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", b, b + 1, b + 2, b + 3, b + 4, b + 5, &rest) != 6)
		return -EINVAL;
	if (b[0] & 1) /* a group's */
		return -EINVAL;
	for (size_t i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return 0;
}

static int copy_list(const struct string_list *from, struct string_list *to)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < from->count; i++)
		rc = string_list_add(to, from->items[i]);
	return rc;
}

static int copy_asked(const struct spec_network *from, const struct network *n,
		      struct spec_network *to)
{
	if (copy_list(&from->aliases, &to->aliases) < 0 || copy_list(&from->links, &to->links) < 0)
		return -ENOMEM;
	to->name = strdup(n->name);
	to->ipv4_address = from->ipv4_address ? strdup(from->ipv4_address) : NULL;
	to->mac_address = from->mac_address ? strdup(from->mac_address) : NULL;
	to->gw_priority = from->gw_priority;
	return to->name && !from->ipv4_address == !to->ipv4_address &&
		       !from->mac_address == !to->mac_address ? 0 : -ENOMEM;
}

/* Another's name may be a name of DNS with dots in it. */
static bool name_fits(const char *name)
{
	return *name && strlen(name) < 254 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       strlen(name);
}

/* "CONTAINER", "CONTAINER:ALIAS"; whether there is one is seen when the name is asked for. */
static int check_links(const struct string_list *links, struct err *e)
{
	for (size_t i = 0; i < links->count; i++) {
		const char *alias = strchr(links->items[i], ':');

		if (!name_fits(alias ? alias + 1 : links->items[i]) || alias == links->items[i])
			return err_set(e, -EINVAL, "bad format for links: %.128s", links->items[i]);
	}
	return 0;
}

static int check_asked(const struct spec_network *asked, const struct network *n, struct err *e)
{
	uint8_t mac[6];
	uint32_t ip;

	if (check_links(&asked->links, e) < 0)
		return -EINVAL;
	if (strcmp(n->driver, "bridge"))
		return err_set(e, -EINVAL, "container cannot be disconnected from host network or connected "
			       "to hostnetwork or network \"%s\"", n->name);
	if (asked->ipv4_address && ipv4_parse(asked->ipv4_address, &ip) < 0)
		return err_set(e, -EINVAL, "invalid IPv4 address: %.64s", asked->ipv4_address);
	if (asked->ipv4_address && n->builtin)
		return err_set(e, -EINVAL, "user specified IP address is supported on user defined networks "
			       "only");
	if (asked->aliases.count && n->builtin)
		return err_set(e, -EINVAL, "network-scoped alias is supported only for containers in user "
			       "defined networks");
	for (size_t i = 0; i < asked->aliases.count; i++)
		if (!name_fits(asked->aliases.items[i]))
			return err_set(e, -EINVAL, "invalid alias \"%.64s\": only [a-zA-Z0-9_.-] are "
				       "allowed", asked->aliases.items[i]);
	if (asked->mac_address && mac_parse(asked->mac_address, mac) < 0)
		return err_set(e, -EINVAL, "invalid MAC address: %.64s", asked->mac_address);
	return 0;
}

static struct endpoint *endpoint_named(const struct container *c, const char *name)
{
	for (size_t i = 0; i < c->endpoints.count; i++)
		if (!strcmp(c->endpoints.items[i].asked.name, name))
			return &c->endpoints.items[i];
	return NULL;
}

static void drop_endpoint(struct container *c, struct endpoint *ep)
{
	size_t at = (size_t)(ep - c->endpoints.items);

	endpoint_clear(ep);
	memmove(ep, ep + 1, (--c->endpoints.count - at) * sizeof(*ep));
}

static int add_endpoint(struct container *c, const struct network *n,
			const struct spec_network *asked, struct err *e)
{
	struct endpoint *ep;
	int rc = check_asked(asked, n, e);

	if (rc < 0)
		return rc;
	if (endpoint_named(c, n->name))
		return err_set(e, -EACCES, "endpoint with name %s already exists in network %s", c->name,
			       n->name);
	if (c->endpoints.count == WIRES_MAX)
		return err_set(e, -EINVAL, "container %s is on %d networks, the most there can be",
			       c->name, WIRES_MAX);
	ep = record_list_add(&c->endpoints, sizeof(*ep));
	if (!ep || copy_asked(asked, n, &ep->asked) < 0) {
		if (ep)
			drop_endpoint(c, ep);
		return err_set(e, -ENOMEM, "out of memory");
	}
	return 0;
}

/* A missing network is 400: clients take 404 here for an image that is to be pulled. */
static int find_for_making(const struct engine *en, const char *name, struct network **out,
			   struct err *e)
{
	int rc = network_find(en, name, out, e);

	return rc == -ENOENT ? -EINVAL : rc;
}

static int add_mode(struct container *c, const char *mode, struct err *e)
{
	const struct spec_network_list *list = &c->spec.networks;
	struct spec_network asked = { .name = NULL };
	struct network *n, *other;
	int rc = find_for_making(c->engine, mode, &n, e);

	for (size_t i = 0; !rc && i < list->count; i++) {
		rc = find_for_making(c->engine, list->items[i].name, &other, e);
		if (!rc && other == n)
			asked = list->items[i];
	}
	if (!rc)
		rc = add_endpoint(c, n, &asked, e);
	if (!rc && copy_list(&c->spec.links, &c->endpoints.items[0].asked.links) < 0)
		rc = err_set(e, -ENOMEM, "out of memory");
	return rc;
}

/* What goes with a network goes with its owner, in docker's words. */
static int check_shared(const struct container *c, const char *mode, struct err *e)
{
	const char *what = c->spec.ports.count ? "port publishing" :
			   c->spec.links.count ? "links" :
			   c->spec.dns.count   ? "dns" :
			   c->spec.extra_hosts.count ? "custom host-to-IP mapping" :
			   c->spec.hostname && *c->spec.hostname ? "hostname" : NULL;
	struct container *owner;

	if (strncmp(mode, "container:", 10))
		return 0;
	if (what)
		return err_set(e, -EINVAL, "conflicting options: %s and the container type network mode",
			       what);
	return engine_find(c->engine, mode + 10, &owner, e) < 0 ? -EINVAL : 0;
}

int network_make_endpoints(struct container *c, struct err *e)
{
	const struct spec_network_list *list = &c->spec.networks;
	const char *mode = c->spec.network_mode && *c->spec.network_mode ? c->spec.network_mode :
									   "bridge";
	int rc;

	if (!container_has_wires(c)) {
		rc = check_shared(c, mode, e);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < list->count; i++)
			if (strcmp(list->items[i].name, mode))
				return err_set(e, -EINVAL, "conflicting options: a container with network "
					       "mode \"%s\" cannot be on network \"%s\"", mode,
					       list->items[i].name);
		return 0;
	}
	/* network_mode's is first: it is eth0. */
	rc = check_links(&c->spec.links, e);
	if (!rc)
		rc = add_mode(c, mode, e);
	for (size_t i = 0; !rc && i < list->count; i++) {
		struct network *n;

		rc = find_for_making(c->engine, list->items[i].name, &n, e);
		if (!rc && !endpoint_named(c, n->name))
			rc = add_endpoint(c, n, &list->items[i], e);
	}
	return rc;
}

static int check_mode(const struct container *c, struct err *e)
{
	const char *mode = c->spec.network_mode;

	if (container_has_wires(c))
		return 0;
	if (!strcmp(mode, "none"))
		return err_set(e, -EINVAL, "container cannot be connected to multiple networks with one of "
			       "the networks in private (none) mode");
	return err_set(e, -EINVAL, "container sharing network namespace with another container or host "
		       "cannot be connected to any other network");
}

int engine_connect(struct container *c, struct network *n, const struct spec_network *asked,
		   struct err *e)
{
	struct endpoint *ep;
	int rc = check_mode(c, e);

	if (!rc)
		rc = add_endpoint(c, n, asked, e);
	if (rc < 0)
		return rc;
	ep = &c->endpoints.items[c->endpoints.count - 1];
	rc = network_join(c, ep, e);
	if (rc < 0) {
		drop_endpoint(c, ep);
		return rc;
	}
	keep_now(c);
	return 0;
}

int engine_disconnect(struct container *c, struct network *n, struct err *e)
{
	struct endpoint *ep = endpoint_named(c, n->name);
	int rc;

	if (!ep)
		return err_set(e, -EACCES, "container %s is not connected to network %s", c->id, n->name);
	rc = network_leave(c, ep, e);
	drop_endpoint(c, ep);
	keep_now(c);
	return rc;
}
