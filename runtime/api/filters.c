#include "api/filters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/health.h"
#include "engine/networks.h"
#include "yyjson.h"

enum { FILTERS_MAX = 64 };

struct filter {
	char *key, *value;
};

struct filters {
	struct filter items[FILTERS_MAX];
	size_t count;
};

static bool match_id(const struct container *c, const char *value)
{
	return !strncmp(c->id, value, strlen(value));
}

/* docker takes a regular expression here; people write names, or ^/name$ as docker-compose. */
static bool match_name(const struct container *c, const char *value)
{
	bool begin = *value == '^', end;
	char text[300];
	size_t len, name_len = strlen(c->name);

	value += begin;
	value += *value == '/';
	snprintf(text, sizeof(text), "%s", value);
	len = strlen(text);
	end = len && text[len - 1] == '$';
	if (end)
		text[--len] = '\0';
	if (begin && end)
		return !strcmp(c->name, text);
	if (begin)
		return !strncmp(c->name, text, len);
	if (end)
		return name_len >= len && !strcmp(c->name + name_len - len, text);
	return strstr(c->name, text) != NULL;
}

static bool match_status(const struct container *c, const char *value)
{
	return !strcmp(state_docker_name(c->state), value);
}

static bool match_label(const struct container *c, const char *value)
{
	const char *equals = strchr(value, '=');
	size_t len = equals ? (size_t)(equals - value) : strlen(value);

	for (size_t i = 0; i < c->spec.labels.count; i++) {
		const struct string_pair *label = &c->spec.labels.items[i];

		if (strlen(label->name) == len && !strncmp(label->name, value, len))
			return !equals || !strcmp(label->value, equals + 1);
	}
	return false;
}

static bool match_no_label(const struct container *c, const char *value)
{
	return !match_label(c, value);
}

static bool match_ancestor(const struct container *c, const char *value)
{
	size_t len = strlen(value);
	const char *image = c->spec.image;
	const char *id = c->image_id ? c->image_id : "";

	if (!strncmp(image, value, len) && (!image[len] || image[len] == ':'))
		return true;
	return !strncmp(id, value, len) || (strlen(id) > 7 && !strncmp(id + 7, value, len));
}

static bool match_network(const struct container *c, const char *value)
{
	for (size_t i = 0; i < c->endpoints.count; i++) {
		struct network *n;

		if (!strcmp(c->endpoints.items[i].asked.name, value))
			return true;
		if (!network_find(c->engine, c->endpoints.items[i].asked.name, &n, NULL) &&
		    !strcmp(n->id, value))
			return true;
	}
	return !container_has_wires(c) && !strcmp(c->spec.network_mode, value);
}

static bool match_exited(const struct container *c, const char *value)
{
	return c->state == STATE_EXITED && c->exit_code == atoi(value);
}

static bool match_health(const struct container *c, const char *value)
{
	return !strcmp(c->health ? health_name(c->health->status) : "none", value);
}

static bool match_volume(const struct container *c, const char *value)
{
	for (size_t i = 0; i < c->spec.volumes.count; i++) {
		const struct spec_volume *v = &c->spec.volumes.items[i];

		if (!strcmp(v->target, value) || (v->source && !strcmp(v->source, value)))
			return true;
	}
	return false;
}

/* "80/tcp" or "80", "80-90" for a range. */
static bool in_ports(const char *value, int64_t port, const char *protocol)
{
	long first, last;
	char *end;
	const char *kind;

	first = last = strtol(value, &end, 10);
	if (*end == '-')
		last = strtol(end + 1, &end, 10);
	kind = *end == '/' ? end + 1 : "tcp";
	return port >= first && port <= last && !strcmp(kind, protocol ? protocol : "tcp");
}

static bool match_publish(const struct container *c, const char *value)
{
	for (size_t i = 0; i < c->spec.ports.count; i++)
		if (in_ports(value, c->spec.ports.items[i].target, c->spec.ports.items[i].protocol) ||
		    in_ports(value, c->spec.ports.items[i].published, c->spec.ports.items[i].protocol))
			return true;
	return false;
}

static bool match_expose(const struct container *c, const char *value)
{
	for (size_t i = 0; i < c->spec.expose.count; i++) {
		const char *text = c->spec.expose.items[i], *slash = strchr(text, '/');

		if (in_ports(value, atoi(text), slash ? slash + 1 : NULL))
			return true;
	}
	return match_publish(c, value);
}

/* NULL: there is no such container. */
static const struct container *other(const struct container *c, const char *value)
{
	struct container *found;

	return engine_find(c->engine, value, &found, NULL) < 0 ? NULL : found;
}

static bool match_before(const struct container *c, const char *value)
{
	const struct container *o = other(c, value);

	return o && o != c && c->created_ns < o->created_ns;
}

static bool match_since(const struct container *c, const char *value)
{
	const struct container *o = other(c, value);

	return o && o != c && c->created_ns > o->created_ns;
}

static bool match_task(const struct container *c, const char *value)
{
	(void)c;
	return strcmp(value, "true") != 0 && strcmp(value, "1") != 0; /* there is no swarm */
}

static const struct {
	const char *key;
	bool (*match)(const struct container *c, const char *value);
	bool all; /* every value of this key must match, not one of them */
} keys[] = {
	{ "ancestor", match_ancestor, false },
	{ "before", match_before, false },
	{ "exited", match_exited, false },
	{ "expose", match_expose, false },
	{ "health", match_health, false },
	{ "id", match_id, false },
	{ "is-task", match_task, false },
	{ "label", match_label, true },
	{ "label!", match_no_label, true },
	{ "name", match_name, false },
	{ "network", match_network, false },
	{ "publish", match_publish, false },
	{ "since", match_since, false },
	{ "status", match_status, false },
	{ "volume", match_volume, false },
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static bool known(const char *key)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (!strcmp(keys[i].key, key))
			return true;
	return false;
}

static int add(struct filters *f, const char *key, const char *value, struct err *e)
{
	struct filter *item;

	if (!value || f->count == FILTERS_MAX)
		return err_set(e, -EINVAL, "invalid filter");
	item = &f->items[f->count++];
	item->key = strdup(key);
	item->value = strdup(value);
	return item->key && item->value ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int add_values(struct filters *f, const char *key, yyjson_val *values, struct err *e)
{
	yyjson_val *name, *value;
	size_t i, count;
	int rc = 0;

	if (!known(key))
		return err_set(e, -EINVAL, "invalid filter '%.100s'", key);
	if (yyjson_is_arr(values)) {
		yyjson_arr_foreach(values, i, count, value)
			rc = rc < 0 ? rc : add(f, key, yyjson_get_str(value), e);
	} else {
		yyjson_obj_foreach(values, i, count, name, value)
			rc = rc < 0 ? rc : add(f, key, yyjson_get_str(name), e);
	}
	return rc;
}

int filters_parse(struct filters **out, const char *json, struct err *e)
{
	return filters_parse_without(out, json, "", e);
}

int filters_parse_without(struct filters **out, const char *json, const char *without,
			  struct err *e)
{
	yyjson_doc *doc;
	yyjson_val *root, *key, *values;
	size_t i, count;
	struct filters *f;
	int rc = 0;

	*out = NULL;
	if (!json || !*json)
		return 0;
	doc = yyjson_read(json, strlen(json), 0);
	root = yyjson_doc_get_root(doc);
	f = calloc(1, sizeof(*f));
	if (!yyjson_is_obj(root) || !f)
		rc = err_set(e, -EINVAL, "invalid filter");
	yyjson_obj_foreach(root, i, count, key, values)
		if (!yyjson_equals_str(key, without))
			rc = rc < 0 ? rc : add_values(f, yyjson_get_str(key), values, e);
	yyjson_doc_free(doc);
	if (rc < 0)
		filters_free(f);
	else
		*out = f;
	return rc;
}

void filters_free(struct filters *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].key);
		free(f->items[i].value);
	}
	free(f);
}

bool filters_have(const struct filters *f, const char *key)
{
	for (size_t i = 0; f && i < f->count; i++)
		if (!strcmp(f->items[i].key, key))
			return true;
	return false;
}

static bool key_matches(const struct filters *f, size_t k, const struct container *c)
{
	bool all = true, any = false, some = false;

	for (size_t i = 0; i < f->count; i++) {
		bool hit;

		if (strcmp(f->items[i].key, keys[k].key))
			continue;
		hit = keys[k].match(c, f->items[i].value);
		some = true;
		all &= hit;
		any |= hit;
	}
	return !some || (keys[k].all ? all : any);
}

bool filters_match(const struct filters *f, const struct container *c)
{
	for (size_t k = 0; f && k < KEY_COUNT; k++)
		if (!key_matches(f, k, c))
			return false;
	return true;
}
