#include "api/body.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/signals.h"

enum { FOREVER_MS = INT32_MAX };

/* ---- the walk ---- */

static bool only_zeros(yyjson_val *list)
{
	size_t i, max;
	yyjson_val *item;

	yyjson_arr_foreach(list, i, max, item)
		if (!yyjson_is_num(item) || yyjson_get_num(item) != 0)
			return false;
	return true;
}

bool body_is_empty(yyjson_val *v)
{
	size_t i, max;
	yyjson_val *key, *item;

	if (yyjson_is_arr(v))
		return only_zeros(v);
	yyjson_obj_foreach(v, i, max, key, item)
		if (!body_is_empty(item))
			return false;
	return yyjson_is_obj(v) || yyjson_is_null(v) || yyjson_is_false(v) ||
	       yyjson_equals_str(v, "") || (yyjson_is_num(v) && yyjson_get_num(v) == 0);
}

static const struct body_key *find_key(const struct body_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (!strcmp(keys->name, name))
			return keys;
	return NULL;
}

static int take_one(struct body *b, const struct body_key *key, const char *name,
		    yyjson_val *value, void *base, struct err *e)
{
	if (yyjson_is_null(value))
		return 0;
	if (key)
		return key->take(b, (char *)base + key->offset, value, e);
	return body_is_empty(value) ? 0 : err_set(e, -ENOTSUP, "%s is not supported", name);
}

int body_walk(struct body *b, const char *where, yyjson_val *object, const struct body_key *keys,
	      void *base, struct err *e)
{
	size_t i, max;
	yyjson_val *key, *item;

	if (!yyjson_is_obj(object))
		return err_set(e, -EINVAL, "%sexpected an object", where);
	yyjson_obj_foreach(object, i, max, key, item) {
		const char *name = yyjson_get_str(key);
		const struct body_key *row = find_key(keys, name);
		char full[128];
		int rc;

		snprintf(full, sizeof(full), "%s%.64s", where, name);
		rc = take_one(b, row, full, item, base, e);
		/* The innermost key is the one that people look for. */
		if (rc < 0 && row && !b->key_said)
			err_prefix(e, "%s", full);
		b->key_said |= rc < 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

int body_parse(struct body *b, const char *json, size_t len, const struct body_key *keys,
	       void *base, struct err *e)
{
	yyjson_doc *doc = len ? yyjson_read(json, len, 0) : NULL;
	int rc = doc ? body_walk(b, "", yyjson_doc_get_root(doc), keys, base, e) :
		       err_set(e, -EINVAL, "the request's body is no JSON");

	yyjson_doc_free(doc);
	return rc;
}

/* ---- plain values ---- */

int body_no_memory(struct err *e)
{
	return err_set(e, -ENOMEM, "out of memory");
}

int body_replace(char **member, const char *text, struct err *e)
{
	char *copy = strdup(text);

	if (!copy)
		return body_no_memory(e);
	free(*member);
	*member = copy;
	return 0;
}

/* A C string would end at a NUL that came as \u0000. */
static const char *text_of(yyjson_val *v, struct err *e)
{
	const char *text = yyjson_get_str(v);

	if (!text)
		err_set(e, -EINVAL, "expected a string");
	else if (strlen(text) != yyjson_get_len(v) || strlen(text) > RECORD_STRING_MAX)
		err_set(e, -EINVAL, "the string is too long or has a NUL character");
	else
		return text;
	return NULL;
}

int take_string(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	const char *text = text_of(v, e);

	(void)b;
	if (!text)
		return -EINVAL;
	return *text ? body_replace(member, text, e) : 0;
}

int take_bool(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	if (!yyjson_is_bool(v))
		return err_set(e, -EINVAL, "expected true or false");
	*(bool *)member = yyjson_get_bool(v);
	return 0;
}

int take_int(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	if (!yyjson_is_int(v) || (yyjson_is_uint(v) && yyjson_get_uint(v) > INT64_MAX))
		return err_set(e, -EINVAL, "expected a whole number");
	*(int64_t *)member = yyjson_get_sint(v);
	return 0;
}

/* Docker's clients send a lone string where the list has one entry (Cmd, Entrypoint). */
int take_strings(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	struct string_list *list = member;
	size_t i, max;
	yyjson_val *item;
	const char *text;

	(void)b;
	if (yyjson_is_str(v)) {
		text = text_of(v, e);
		return !text ? -EINVAL : string_list_add(list, text) < 0 ? body_no_memory(e) : 0;
	}
	if (!yyjson_is_arr(v) || yyjson_arr_size(v) > RECORD_ITEMS_MAX)
		return err_set(e, -EINVAL, "expected a list of strings");
	yyjson_arr_foreach(v, i, max, item) {
		text = text_of(item, e);
		if (!text)
			return -EINVAL;
		if (string_list_add(list, text) < 0)
			return body_no_memory(e);
	}
	return 0;
}

int take_map(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	size_t i, max;
	yyjson_val *key, *item;

	(void)b;
	if (!yyjson_is_obj(v) || yyjson_obj_size(v) > RECORD_ITEMS_MAX)
		return err_set(e, -EINVAL, "expected an object of strings");
	yyjson_obj_foreach(v, i, max, key, item) {
		const char *name = text_of(key, e), *text = text_of(item, e);

		if (!name || !text)
			return -EINVAL;
		if (string_map_set(member, name, text) < 0)
			return body_no_memory(e);
	}
	return 0;
}

int body_size(yyjson_val *v, unsigned *rows, unsigned *columns, struct err *e)
{
	yyjson_val *r = yyjson_arr_get(v, 0), *c = yyjson_arr_get(v, 1);

	if (yyjson_arr_size(v) != 2 || yyjson_get_uint(r) > 65535 || yyjson_get_uint(c) > 65535)
		return err_set(e, -EINVAL, "expected [rows, columns]");
	*rows = (unsigned)yyjson_get_uint(r);
	*columns = (unsigned)yyjson_get_uint(c);
	return 0;
}

/* What the client notes for itself, or what is so with every container of Berth's. */
int take_nothing(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	(void)member;
	(void)v;
	(void)e;
	return 0;
}

/* ---- Config ---- */

/* "NAME" alone takes the image's variable away in docker; here it would have to be kept. */
static int take_env(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	struct string_list list = { 0 };
	int rc = take_strings(b, &list, v, e);

	for (size_t i = 0; !rc && i < list.count; i++) {
		char *equals = strchr(list.items[i], '=');

		if (!equals || equals == list.items[i]) {
			rc = err_set(e, -EINVAL, "\"%.100s\" is not NAME=value", list.items[i]);
			break;
		}
		*equals = '\0';
		if (string_map_set(member, list.items[i], equals + 1) < 0)
			rc = body_no_memory(e);
	}
	for (size_t i = 0; i < list.count; i++)
		free(list.items[i]);
	free(list.items);
	return rc;
}

/* docker run --entrypoint "": the image's is cleared. */
static int take_entrypoint(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	struct string_list *list = member;

	if (body_is_empty(v) && !yyjson_is_arr(v))
		return 0;
	if (yyjson_arr_size(v) == 1 && yyjson_equals_str(yyjson_arr_get_first(v), "")) {
		list->present = true;
		return 0;
	}
	return yyjson_is_arr(v) && !yyjson_arr_size(v) ? 0 : take_strings(b, member, v, e);
}

static int take_stop_signal(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	const char *text = text_of(v, e);

	if (!text)
		return -EINVAL;
	if (*text && signal_number(text) < 0)
		return err_set(e, -EINVAL, "Invalid signal: %.100s", text);
	return take_string(b, member, v, e);
}

static int take_stop_timeout(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	int64_t seconds = 0;
	int rc = take_int(b, &seconds, v, e);

	if (rc < 0)
		return rc;
	/* 0 is "not said" in a spec; what was said to be no time is the least there is. */
	if (seconds < 0 || seconds > FOREVER_MS / 1000)
		*(int64_t *)member = FOREVER_MS;
	else
		*(int64_t *)member = seconds ? seconds * 1000 : 1;
	return 0;
}

static int take_no_network(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	(void)b;
	return yyjson_is_true(v) ? body_replace(member, "none", e) : 0;
}

#define SPEC(member) offsetof(struct body, spec.member)

static const struct body_key config_keys[] = {
	{ "AttachStderr", take_nothing, 0 },
	{ "AttachStdin", take_nothing, 0 },
	{ "AttachStdout", take_nothing, 0 },
	{ "Cmd", take_strings, SPEC(command) },
	{ "Domainname", take_string, SPEC(domainname) },
	{ "Entrypoint", take_entrypoint, SPEC(entrypoint) },
	{ "Env", take_env, SPEC(environment) },
	{ "ExposedPorts", take_exposed, SPEC(expose) },
	{ "Healthcheck", take_health, SPEC(healthcheck) },
	{ "HostConfig", take_host_config, 0 },
	{ "Hostname", take_string, SPEC(hostname) },
	{ "Image", take_string, SPEC(image) },
	{ "Labels", take_map, SPEC(labels) },
	{ "NetworkDisabled", take_no_network, SPEC(network_mode) },
	{ "NetworkingConfig", take_networking, 0 },
	{ "OpenStdin", take_bool, SPEC(stdin_open) },
	{ "StdinOnce", take_bool, SPEC(stdin_once) },
	{ "StopSignal", take_stop_signal, SPEC(stop_signal) },
	{ "StopTimeout", take_stop_timeout, SPEC(stop_grace_ms) },
	{ "Tty", take_bool, SPEC(tty) },
	{ "User", take_string, SPEC(user) },
	{ "Volumes", take_volumes, SPEC(volumes) },
	{ "WorkingDir", take_string, SPEC(working_dir) },
	{ NULL, NULL, 0 },
};

static int check(const struct body *b, struct err *e)
{
	const char *policy = b->spec.restart.policy;

	if (b->spec.auto_remove && policy && *policy && strcmp(policy, "no"))
		return err_set(e, -EINVAL, "can't create 'AutoRemove' container with restart policy");
	if (!b->spec.image || !*b->spec.image)
		return err_set(e, -EINVAL, "no image specified");
	return 0;
}

int body_read(struct body *out, const char *json, size_t len, struct err *e)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = body_parse(out, json, len, config_keys, out, e);
	return rc < 0 ? rc : check(out, e);
}
