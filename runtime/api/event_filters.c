#include "api/event_filters.h"

#include <errno.h>
#include <string.h>

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool is_type(const struct event *ev, const char *type)
{
	return !strcmp(ev->type, type);
}

static const char *attribute(const struct event *ev, const char *name)
{
	const char *value = string_map_get(&ev->attributes, name);

	return value ? value : "";
}

static bool match_container(const struct event *ev, const char *value)
{
	return is_type(ev, "container") &&
	       (begins(ev->id, value) || !strcmp(attribute(ev, "name"), value));
}

/* "exec_create: sh" is asked for as "exec_create" and as it is. */
static bool match_event(const struct event *ev, const char *value)
{
	size_t len = strlen(value);

	return !strncmp(ev->action, value, len) && (!ev->action[len] || ev->action[len] == ':');
}

static bool match_image(const struct event *ev, const char *value)
{
	const char *name = is_type(ev, "image") ? attribute(ev, "name") : attribute(ev, "image");
	size_t len = strlen(value);

	if (is_type(ev, "image") && begins(ev->id, value))
		return true;
	return len && !strncmp(name, value, len) && (!name[len] || name[len] == ':');
}

static bool match_label(const struct event *ev, const char *value)
{
	const char *equals = strchr(value, '=');
	size_t len = equals ? (size_t)(equals - value) : strlen(value);

	for (size_t i = 0; i < ev->attributes.count; i++) {
		const struct string_pair *a = &ev->attributes.items[i];

		if (strlen(a->name) == len && !strncmp(a->name, value, len))
			return !equals || !strcmp(a->value, equals + 1);
	}
	return false;
}

static bool match_type(const struct event *ev, const char *value)
{
	return is_type(ev, value);
}

static bool match_scope(const struct event *ev, const char *value)
{
	(void)ev;
	return !strcmp(value, "local");
}

static bool match_named(const struct event *ev, const char *type, const char *value)
{
	return is_type(ev, type) && (begins(ev->id, value) || !strcmp(attribute(ev, "name"), value));
}

static bool match_network(const struct event *ev, const char *value)
{
	return match_named(ev, "network", value);
}

static bool match_volume(const struct event *ev, const char *value)
{
	return match_named(ev, "volume", value);
}

/* There is no such thing here, so nothing of it ever happens. */
static bool match_nothing(const struct event *ev, const char *value)
{
	(void)ev;
	(void)value;
	return false;
}

static const struct row {
	const char *key;
	bool (*match)(const struct event *ev, const char *value);
	bool all;
} rows[] = {
	{ "config", match_nothing, false },    { "container", match_container, false },
	{ "daemon", match_nothing, false },    { "event", match_event, false },
	{ "image", match_image, false },       { "label", match_label, true },
	{ "network", match_network, false },   { "node", match_nothing, false },
	{ "plugin", match_nothing, false },    { "scope", match_scope, false },
	{ "secret", match_nothing, false },    { "service", match_nothing, false },
	{ "type", match_type, false },         { "volume", match_volume, false },
};

static const struct row *find(const char *key)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].key, key))
			return &rows[i];
	return NULL;
}

int event_filters_parse(yyjson_doc **out, const char *json, struct err *e)
{
	yyjson_doc *doc = NULL;
	yyjson_val *key, *values;
	size_t i, max;
	int rc = 0;

	*out = NULL;
	if (!json || !*json)
		return 0;
	doc = yyjson_read(json, strlen(json), 0);
	if (!yyjson_is_obj(yyjson_doc_get_root(doc)))
		rc = err_set(e, -EINVAL, "invalid filter");
	yyjson_obj_foreach(yyjson_doc_get_root(doc), i, max, key, values) {
		if (rc == 0 && !find(yyjson_get_str(key)))
			rc = err_set(e, -EINVAL, "invalid filter '%.100s'", yyjson_get_str(key));
		if (rc == 0 && !yyjson_is_arr(values) && !yyjson_is_obj(values))
			rc = err_set(e, -EINVAL, "invalid filter");
	}
	if (rc < 0)
		yyjson_doc_free(doc);
	else
		*out = doc;
	return rc;
}

static bool match_values(const struct row *row, yyjson_val *values, const struct event *ev)
{
	bool any = false, all = true;
	size_t i, max;
	yyjson_val *key, *item;

	yyjson_arr_foreach(values, i, max, item) {
		bool hit = yyjson_is_str(item) && row->match(ev, yyjson_get_str(item));

		any |= hit;
		all &= hit;
	}
	yyjson_obj_foreach(values, i, max, key, item) {
		bool hit = row->match(ev, yyjson_get_str(key));

		any |= hit;
		all &= hit;
	}
	return row->all ? all : any;
}

bool event_filters_match(yyjson_doc *filters, const struct event *ev)
{
	yyjson_val *key, *values;
	size_t i, max;

	yyjson_obj_foreach(yyjson_doc_get_root(filters), i, max, key, values)
		if (!match_values(find(yyjson_get_str(key)), values, ev))
			return false;
	return true;
}
