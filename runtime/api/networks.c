/* networks: list, inspect, create, connect, disconnect, remove, prune. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body_network.h"
#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "api/shape.h"
#include "api/thing_filters.h"
#include "api/timestamp.h"
#include "base/cleanup.h"
#include "base/clock.h"

static void free_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

#define autodoc __attribute__((cleanup(free_doc)))

/* ---- docker's shape ---- */

static void add_ipam(struct buf *b, const struct network *n)
{
	char subnet[SUBNET_TEXT_MAX], gateway[IPV4_TEXT_MAX];

	json_open(b, "IPAM", '{');
	json_string(b, "Driver", "default");
	json_raw(b, "Options", n->builtin ? "null" : "{}");
	json_open(b, "Config", '[');
	if (n->bridge.subnet.prefix || n->subnet) {
		json_open(b, NULL, '{');
		json_string(b, "Subnet", n->subnet ? n->subnet : subnet_text(n->bridge.subnet, subnet));
		if (n->ip_range)
			json_string(b, "IPRange", n->ip_range);
		json_string(b, "Gateway", n->gateway ? n->gateway :
			    ipv4_text(n->bridge.subnet.network + 1, gateway));
		json_close(b, '}');
	}
	json_close(b, ']');
	json_close(b, '}');
}

static void add_member(struct buf *b, const struct container *c, const struct endpoint *ep)
{
	char text[SUBNET_TEXT_MAX + 4], ip[IPV4_TEXT_MAX], id[CONTAINER_ID_LEN + 1], mac[18];

	json_open(b, c->id, '{');
	json_string(b, "Name", c->name);
	json_string(b, "EndpointID", shape_endpoint_id(c, ep, id));
	json_string(b, "MacAddress", shape_mac(ep, mac));
	snprintf(text, sizeof(text), "%s/%u", ipv4_text(ep->ip, ip), ep->network->bridge.subnet.prefix);
	json_string(b, "IPv4Address", text);
	json_string(b, "IPv6Address", "");
	json_close(b, '}');
}

static void add_members(struct buf *b, const struct engine *en, const struct network *n)
{
	json_open(b, "Containers", '{');
	for (size_t i = 0; i < en->count; i++) {
		const struct endpoint *ep = network_endpoint(n, en->containers[i]);

		if (ep)
			add_member(b, en->containers[i], ep);
	}
	json_close(b, '}');
}

static void add_default_options(struct buf *b, const struct network *n)
{
	json_open(b, "Options", '{');
	if (n->link) {
		json_string(b, "com.docker.network.bridge.default_bridge", "true");
		json_string(b, "com.docker.network.bridge.enable_icc", "true");
		json_string(b, "com.docker.network.bridge.enable_ip_masquerade", "true");
		json_string(b, "com.docker.network.bridge.host_binding_ipv4", "0.0.0.0");
		json_string(b, "com.docker.network.bridge.name", n->link);
		json_string(b, "com.docker.network.driver.mtu", "1500");
	}
	json_close(b, '}');
}

/* The list has no containers in it, as docker's. */
static void add_network(struct buf *b, const struct engine *en, const struct network *n,
			bool members)
{
	json_open(b, NULL, '{');
	json_string(b, "Name", n->name);
	json_string(b, "Id", n->id);
	json_time(b, "Created", n->created_ns);
	json_string(b, "Scope", "local");
	json_string(b, "Driver", n->driver);
	json_bool(b, "EnableIPv4", true);
	json_bool(b, "EnableIPv6", false);
	add_ipam(b, n);
	json_bool(b, "Internal", n->internal);
	json_bool(b, "Attachable", n->attachable);
	json_bool(b, "Ingress", false);
	json_raw(b, "ConfigFrom", "{\"Network\":\"\"}");
	json_bool(b, "ConfigOnly", false);
	if (members)
		add_members(b, en, n);
	else
		json_raw(b, "Containers", "{}");
	if (n->builtin)
		add_default_options(b, n);
	else
		json_map(b, "Options", &n->options);
	json_map(b, "Labels", &n->labels);
	json_close(b, '}');
}

/* ---- filters ---- */

static bool has_label(const struct network *n, const char *wanted)
{
	size_t len = strcspn(wanted, "=");

	for (size_t i = 0; i < n->labels.count; i++) {
		const struct string_pair *label = &n->labels.items[i];

		if (strlen(label->name) == len && !strncmp(label->name, wanted, len))
			return !wanted[len] || !strcmp(label->value, wanted + len + 1);
	}
	return false;
}

struct candidate {
	const struct engine *engine;
	const struct network *network;
};

static bool match_name(const struct candidate *c, const char *value)
{
	return strstr(c->network->name, value) != NULL;
}

static bool match_id(const struct candidate *c, const char *value)
{
	return !strncmp(c->network->id, value, strlen(value));
}

static bool match_label(const struct candidate *c, const char *value)
{
	return has_label(c->network, value);
}

static bool match_no_label(const struct candidate *c, const char *value)
{
	return !has_label(c->network, value);
}

static bool match_driver(const struct candidate *c, const char *value)
{
	return !strcmp(c->network->driver, value);
}

static bool match_scope(const struct candidate *c, const char *value)
{
	(void)c;
	return !strcmp(value, "local");
}

static bool match_type(const struct candidate *c, const char *value)
{
	return !strcmp(value, c->network->builtin ? "builtin" : "custom");
}

static bool match_dangling(const struct candidate *c, const char *value)
{
	bool unused = !c->network->builtin && !network_wanted(c->engine, c->network);

	return filter_is_true(value) == unused;
}

static bool match_until(const struct candidate *c, const char *value)
{
	return c->network->created_ns < timestamp_or_ago(value, clock_wall_ns());
}

static const struct {
	const char *key;
	bool (*match)(const struct candidate *c, const char *value);
} rows[] = {
	{ "name", match_name },	    { "id", match_id },		    { "label", match_label },
	{ "driver", match_driver }, { "label!", match_no_label },   { "scope", match_scope },
	{ "type", match_type },	    { "dangling", match_dangling }, { "until", match_until },
};

static bool matches(const void *thing, const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(rows[i].key, key))
			return rows[i].match(thing, value);
	return false;
}

static bool fits(const struct engine *en, const struct network *n, yyjson_doc *filters)
{
	struct candidate c = { en, n };

	return thing_fits(&c, yyjson_doc_get_root(filters), matches);
}

/* ---- the endpoints ---- */

void handle_networks(struct request *r)
{
	static const char *const keys[] = { "name", "id", "label", "driver", "scope", "type",
					    "dangling" };
	autodoc yyjson_doc *filters = thing_filters(r, keys, ARRAY_LEN(keys));
	struct buf json = { 0 };

	if (!filters)
		return;
	json_open(&json, NULL, '[');
	/* The newest first, and the machine's own last. */
	for (size_t i = r->engine->network_count; i--;)
		if (fits(r->engine, r->engine->networks[i], filters))
			add_network(&json, r->engine, r->engine->networks[i], false);
	json_close(&json, ']');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}

/* What {} names; NULL with the answer given. */
static struct network *named(struct request *r)
{
	struct network *n;
	struct err e = { 0 };
	int rc = network_find(r->engine, r->param, &n, &e);

	if (rc == 0)
		return n;
	reply_errno(r, rc, &e);
	return NULL;
}

void handle_network(struct request *r)
{
	const struct network *n = named(r);
	const char *scope = request_query(r, "scope");
	struct buf json = { 0 };

	if (!n)
		return;
	if (scope && *scope && strcmp(scope, "local")) {
		reply_error(r, MHD_HTTP_NOT_FOUND, "network %s not found", r->param);
		return;
	}
	add_network(&json, r->engine, n, true);
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}

void handle_network_create(struct request *r)
{
	struct network asked, *made;
	struct buf json = { 0 };
	struct err e = { 0 };
	int rc = body_network_read(&asked, buf_text(&r->body), r->body.len, &e);

	if (!rc)
		rc = network_create(r->engine, &asked, &made, &e);
	network_clear(&asked);
	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	json_open(&json, NULL, '{');
	json_string(&json, "Id", made->id);
	json_string(&json, "Warning", "");
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_CREATED, &json);
}

static void change(struct request *r, bool connect)
{
	struct network *n = named(r);
	struct body_connect b;
	struct container *c;
	struct err e = { 0 };
	int rc;

	if (!n)
		return;
	rc = body_connect_read(&b, buf_text(&r->body), r->body.len, &e);
	if (!rc)
		rc = engine_find(r->engine, b.container, &c, &e);
	if (!rc)
		rc = connect ? engine_connect(c, n, &b.asked, &e) : engine_disconnect(c, n, &e);
	body_connect_free(&b);
	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		reply_empty(r, MHD_HTTP_OK);
}

void handle_network_connect(struct request *r)
{
	change(r, true);
}

void handle_network_disconnect(struct request *r)
{
	change(r, false);
}

void handle_network_remove(struct request *r)
{
	struct network *n = named(r);
	struct err e = { 0 };
	int rc;

	if (!n)
		return;
	rc = network_remove(r->engine, n, &e);
	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		reply_empty(r, MHD_HTTP_NO_CONTENT);
}

void handle_networks_prune(struct request *r)
{
	static const char *const keys[] = { "until", "label", "label!" };
	autodoc yyjson_doc *filters = thing_filters(r, keys, ARRAY_LEN(keys));
	struct engine *en = r->engine;
	struct buf json = { 0 };

	if (!filters)
		return;
	json_open(&json, NULL, '{');
	json_open(&json, "NetworksDeleted", '[');
	for (size_t i = en->network_count; i--;) {
		struct network *n = en->networks[i];
		autofree char *name = strdup(n->name);

		/* One that a container is to be on, live or not, stays. */
		if (name && !n->builtin && !network_wanted(en, n) && fits(en, n, filters) &&
		    network_remove(en, n, NULL) == 0)
			json_string(&json, NULL, name);
	}
	json_close(&json, ']');
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}
