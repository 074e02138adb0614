#include "api/shape.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "engine/engine.h"

/* docker gives networks and endpoints ids of 64 digits. Berth's three are the same on every
 * machine, and an endpoint is its container's. */
static const struct {
	const char *mode, *id;
} networks[] = {
	{ "bridge", "b1d9e000000000000000000000000000000000000000000000000000000000b0" },
	{ "host", "b1d9e000000000000000000000000000000000000000000000000000000000a0" },
	{ "none", "b1d9e000000000000000000000000000000000000000000000000000000000c0" },
};

const char *shape_network_mode(const struct container *c)
{
	return container_uses_bridge(c) ? "bridge" : c->spec.network_mode;
}

static const char *network_id(const char *mode)
{
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		if (!strcmp(networks[i].mode, mode))
			return networks[i].id;
	return "";
}

void shape_networks(struct buf *b, const struct container *c)
{
	const struct engine *en = c->engine;
	const char *mode = shape_network_mode(c);
	bool live = c->ip_taken;
	char ip[IPV4_TEXT_MAX] = "", gateway[IPV4_TEXT_MAX] = "", mac_text[18] = "";
	uint8_t mac[6];

	if (live) {
		ipv4_text(c->ip, ip);
		ipv4_text(pool_gateway(&en->pool), gateway);
		bridge_mac(c->ip, mac);
		snprintf(mac_text, sizeof(mac_text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
			 mac[2], mac[3], mac[4], mac[5]);
	}
	json_open(b, "Networks", '{');
	json_open(b, mode, '{');
	json_raw(b, "IPAMConfig", "null");
	json_raw(b, "Links", "null");
	json_raw(b, "Aliases", "null");
	json_string(b, "MacAddress", mac_text);
	json_raw(b, "DriverOpts", "null");
	json_int(b, "GwPriority", 0);
	json_string(b, "NetworkID", network_id(mode));
	json_string(b, "EndpointID", container_is_live(c) ? c->id : "");
	json_string(b, "Gateway", gateway);
	json_string(b, "IPAddress", ip);
	json_int(b, "IPPrefixLen", live ? en->pool.subnet.prefix : 0);
	json_string(b, "IPv6Gateway", "");
	json_string(b, "GlobalIPv6Address", "");
	json_int(b, "GlobalIPv6PrefixLen", 0);
	json_raw(b, "DNSNames", "null");
	json_close(b, '}');
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
	if (c->spec.ports.items[i].published)
		return (unsigned)c->spec.ports.items[i].published;
	return i < c->chosen.count ? (unsigned)atoi(c->chosen.items[i]) : 0;
}
