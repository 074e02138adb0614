#include "api/shape.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "engine/engine.h"
#include "engine/networks.h"

const char *shape_network_mode(const struct container *c)
{
	const char *mode = c->spec.network_mode;

	return !mode || !*mode || !strcmp(mode, "default") ? "bridge" : mode;
}

char *shape_endpoint_id(const struct container *c, const struct endpoint *ep,
			char out[CONTAINER_ID_LEN + 1])
{
	snprintf(out, CONTAINER_ID_LEN + 1, "%.32s%.32s", c->id, ep->network->id);
	return out;
}

char *shape_mac(const struct endpoint *ep, char out[18])
{
	uint8_t mac[6];

	endpoint_mac(ep, mac);
	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	return out;
}

static void add_asked(struct buf *b, const struct spec_network *asked)
{
	if (asked->ipv4_address) {
		json_open(b, "IPAMConfig", '{');
		json_string(b, "IPv4Address", asked->ipv4_address);
		json_close(b, '}');
	} else {
		json_raw(b, "IPAMConfig", "null");
	}
	json_strings(b, "Links", &asked->links);
	json_strings(b, "Aliases", &asked->aliases);
}

/* Names that the others on a network of people's own find it by. */
static void add_dns_names(struct buf *b, const struct container *c, const struct endpoint *ep)
{
	char id[CONTAINER_SHORT_ID_LEN + 1];

	if (!ep->network || ep->network->builtin) {
		json_raw(b, "DNSNames", "null");
		return;
	}
	json_open(b, "DNSNames", '[');
	json_string(b, NULL, c->name);
	for (size_t i = 0; i < ep->asked.aliases.count; i++)
		json_string(b, NULL, ep->asked.aliases.items[i]);
	json_string(b, NULL, container_short_id(c, id));
	json_close(b, ']');
}

static void add_endpoint(struct buf *b, const struct container *c, const struct endpoint *ep)
{
	const struct network *n = ep->network;
	char ip[IPV4_TEXT_MAX] = "", gateway[IPV4_TEXT_MAX] = "", mac[18] = "";
	char id[CONTAINER_ID_LEN + 1] = "";
	struct network *found = NULL;

	network_find(c->engine, ep->asked.name, &found, NULL);
	if (n) {
		ipv4_text(ep->ip, ip);
		ipv4_text(n->bridge.gateway, gateway);
		shape_mac(ep, mac);
		shape_endpoint_id(c, ep, id);
	}
	json_open(b, ep->asked.name, '{');
	add_asked(b, &ep->asked);
	json_string(b, "MacAddress", mac);
	json_raw(b, "DriverOpts", "null");
	json_int(b, "GwPriority", ep->asked.gw_priority);
	json_string(b, "NetworkID", found ? found->id : "");
	json_string(b, "EndpointID", id);
	json_string(b, "Gateway", n && !n->internal ? gateway : "");
	json_string(b, "IPAddress", ip);
	json_int(b, "IPPrefixLen", n ? n->bridge.subnet.prefix : 0);
	json_string(b, "IPv6Gateway", "");
	json_string(b, "GlobalIPv6Address", "");
	json_int(b, "GlobalIPv6PrefixLen", 0);
	add_dns_names(b, c, ep);
	json_close(b, '}');
}

/* "host" and "none" are networks in the list, without anything to say of the container. */
static void add_no_endpoint(struct buf *b, const struct container *c)
{
	struct network *n;

	if (container_has_wires(c) || network_find(c->engine, c->spec.network_mode, &n, NULL) < 0)
		return;
	json_open(b, n->name, '{');
	add_asked(b, &(struct spec_network){ .name = NULL });
	json_string(b, "MacAddress", "");
	json_raw(b, "DriverOpts", "null");
	json_int(b, "GwPriority", 0);
	json_string(b, "NetworkID", n->id);
	json_string(b, "EndpointID", container_is_live(c) ? c->id : "");
	json_string(b, "Gateway", "");
	json_string(b, "IPAddress", "");
	json_int(b, "IPPrefixLen", 0);
	json_string(b, "IPv6Gateway", "");
	json_string(b, "GlobalIPv6Address", "");
	json_int(b, "GlobalIPv6PrefixLen", 0);
	json_raw(b, "DNSNames", "null");
	json_close(b, '}');
}

void shape_networks(struct buf *b, const struct container *c)
{
	json_open(b, "Networks", '{');
	for (size_t i = 0; i < c->endpoints.count; i++)
		add_endpoint(b, c, &c->endpoints.items[i]);
	add_no_endpoint(b, c);
	json_close(b, '}');
}

static void shape_mount(struct buf *b, const struct container *c, const struct spec_volume *v)
{
	bool volume = !strcmp(v->type, "volume"), bind = !strcmp(v->type, "bind");
	char path[PATH_MAX];

	json_open(b, NULL, '{');
	json_string(b, "Type", v->type);
	if (volume) {
		snprintf(path, sizeof(path), "%s/%s/_data", c->engine->paths.volumes, v->source);
		json_string(b, "Name", v->source);
	}
	json_string(b, "Source", volume ? path : bind ? v->source : "");
	json_string(b, "Destination", v->target);
	if (volume)
		json_string(b, "Driver", "local");
	json_string(b, "Mode", v->read_only ? "ro" : volume ? "z" : "");
	json_bool(b, "RW", !v->read_only);
	json_string(b, "Propagation",
		    !bind ? "" : v->bind_propagation ? v->bind_propagation : "rprivate");
	json_close(b, '}');
}

void shape_mounts(struct buf *b, const struct container *c)
{
	json_open(b, "Mounts", '[');
	for (size_t i = 0; i < c->spec.volumes.count; i++)
		shape_mount(b, c, &c->spec.volumes.items[i]);
	json_close(b, ']');
}

unsigned shape_host_port(const struct container *c, size_t i)
{
	const struct spec_port *port = &c->spec.ports.items[i];

	if (port->published && !port->published_end)
		return (unsigned)port->published;
	return i < c->chosen.count ? (unsigned)atoi(c->chosen.items[i]) : 0;
}
