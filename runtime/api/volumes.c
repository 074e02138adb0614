/* volumes: list, create, inspect, remove, prune. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "api/summary.h"
#include "api/thing_filters.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/volume.h"
#include "yyjson.h"

static void free_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

#define autodoc __attribute__((cleanup(free_doc)))

static int64_t users(const struct engine *en, const char *name)
{
	int64_t count = 0;

	for (size_t i = 0; i < en->count; i++) {
		const struct container_spec *spec = &en->containers[i]->spec;
		bool uses = false;

		for (size_t k = 0; k < spec->volumes.count; k++)
			uses |= !strcmp(spec->volumes.items[k].type, "volume") &&
				spec->volumes.items[k].source &&
				!strcmp(spec->volumes.items[k].source, name);
		count += uses;
	}
	return count;
}

void volume_summary(struct buf *b, const struct engine *en, const struct volume *v,
		    const struct sizes *sizes)
{
	char time[CLOCK_RFC3339_MAX];

	json_open(b, NULL, '{');
	json_string(b, "CreatedAt", clock_rfc3339(v->created_ns, time));
	json_string(b, "Driver", "local");
	json_raw(b, "Labels", v->labels ? v->labels : "null");
	json_string(b, "Mountpoint", v->mountpoint);
	json_string(b, "Name", v->name);
	json_raw(b, "Options", "null");
	json_string(b, "Scope", "local");
	if (sizes) {
		json_open(b, "UsageData", '{');
		json_int(b, "RefCount", users(en, v->name));
		json_int(b, "Size", sizes_of(sizes, v->name));
		json_close(b, '}');
	}
	json_close(b, '}');
}

/* ---- filters ---- */

static bool has_label(const struct volume *v, const char *wanted)
{
	autodoc yyjson_doc *doc = v->labels ? yyjson_read(v->labels, strlen(v->labels), 0) : NULL;
	size_t len = strcspn(wanted, "=");
	yyjson_val *label = yyjson_obj_getn(yyjson_doc_get_root(doc), wanted, len);

	return label && (!wanted[len] || yyjson_equals_str(label, wanted + len + 1));
}

static bool matches(const void *thing, const char *key, const char *value)
{
	const struct volume *v = thing;

	if (!strcmp(key, "name"))
		return strstr(v->name, value) != NULL;
	if (!strcmp(key, "label"))
		return has_label(v, value);
	if (!strcmp(key, "label!"))
		return !has_label(v, value);
	if (!strcmp(key, "dangling"))
		return filter_is_true(value) == !v->used;
	return strcmp(key, "driver") || !strcmp(value, "local"); /* "all" is prune's own */
}

/* All volumes, and the filters that the request has for them; NULL with the answer given. */
static yyjson_doc *list_for(struct request *r, struct volume **all, size_t *count)
{
	static const char *const keys[] = { "name", "label", "label!", "dangling", "driver", "all" };
	yyjson_doc *filters = thing_filters(r, keys, ARRAY_LEN(keys));
	struct err e = { 0 };
	int rc = filters ? volumes_list(r->engine, all, count, &e) : 0;

	if (rc == 0)
		return filters;
	reply_errno(r, rc, &e);
	yyjson_doc_free(filters);
	return NULL;
}

/* ---- the endpoints ---- */

void handle_volumes(struct request *r)
{
	struct volume *all;
	size_t count;
	autodoc yyjson_doc *filters = list_for(r, &all, &count);
	struct buf json = { 0 };

	if (!filters)
		return;
	json_open(&json, NULL, '{');
	json_open(&json, "Volumes", '[');
	for (size_t i = 0; i < count; i++) {
		if (thing_fits(&all[i], yyjson_doc_get_root(filters), matches))
			volume_summary(&json, r->engine, &all[i], NULL);
		volume_free(&all[i]);
	}
	free(all);
	json_close(&json, ']');
	json_raw(&json, "Warnings", "null");
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}

static void reply_volume(struct request *r, unsigned status, const char *name)
{
	struct volume v;
	struct buf json = { 0 };
	struct err e = { 0 };
	int rc = volume_get(r->engine, name, &v, &e);

	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	volume_summary(&json, r->engine, &v, NULL);
	buf_addc(&json, '\n');
	volume_free(&v);
	reply_json(r, status, &json);
}

void handle_volume(struct request *r)
{
	reply_volume(r, MHD_HTTP_OK, r->param);
}

static int check_create(yyjson_val *root, struct err *e)
{
	const char *driver = yyjson_get_str(yyjson_obj_get(root, "Driver"));

	if (!yyjson_is_obj(root))
		return err_set(e, -EINVAL, "volumes/create: the body is no JSON object");
	if (driver && *driver && strcmp(driver, "local"))
		return err_set(e, -ENOENT, "create volume: plugin \"%.64s\" not found", driver);
	if (yyjson_obj_size(yyjson_obj_get(root, "DriverOpts")))
		return err_set(e, -ENOTSUP, "options of the driver \"local\" are not supported");
	return 0;
}

void handle_volume_create(struct request *r)
{
	autodoc yyjson_doc *doc = yyjson_read(buf_text(&r->body), r->body.len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc), *labels = yyjson_obj_get(root, "Labels");
	autofree char *text = yyjson_obj_size(labels) ? yyjson_val_write(labels, 0, NULL) : NULL;
	const char *name = yyjson_get_str(yyjson_obj_get(root, "Name"));
	char made[CONTAINER_ID_LEN + 1];
	struct err e = { 0 };
	int rc = check_create(root, &e);

	if (!rc && (!name || !*name)) {
		rc = container_random_id(made);
		name = made;
	}
	if (!rc)
		rc = volume_create(r->engine, name, text, &e);
	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		reply_volume(r, MHD_HTTP_CREATED, name);
}

void handle_volume_remove(struct request *r)
{
	struct err e = { 0 };
	int rc = volume_remove(r->engine, r->param, &e);

	/* Forced: one that is not there is as good as removed. */
	if (rc == -ENOENT && request_flag(r, "force"))
		rc = 0;
	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		reply_empty(r, MHD_HTTP_NO_CONTENT);
}

static bool asks_for_all(const struct request *r, yyjson_val *filters)
{
	yyjson_val *all = yyjson_obj_get(filters, "all");
	const char *first = yyjson_get_str(yyjson_arr_get_first(all));

	/* Before 1.42 prune took named volumes as well. */
	return r->minor < 42 || (first && filter_is_true(first)) || yyjson_obj_get(all, "true") ||
	       yyjson_obj_get(all, "1");
}

static void prune(struct request *r, const struct sizes *sizes)
{
	int64_t freed = 0;
	struct volume *list;
	size_t count;
	autodoc yyjson_doc *filters = list_for(r, &list, &count);
	yyjson_val *root = yyjson_doc_get_root(filters);
	struct buf json = { 0 };

	if (!filters)
		return;
	json_open(&json, NULL, '{');
	json_open(&json, "VolumesDeleted", '[');
	for (size_t i = 0; i < count; i++) {
		const struct volume *v = &list[i];

		if (!v->used && (v->anonymous || asks_for_all(r, root)) && thing_fits(v, root, matches) &&
		    volume_remove(r->engine, v->name, NULL) == 0) {
			json_string(&json, NULL, v->name);
			freed += sizes_of(sizes, v->name);
		}
		volume_free(&list[i]);
	}
	free(list);
	json_close(&json, ']');
	json_int(&json, "SpaceReclaimed", freed);
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}

/* Counted first: what is gone has no size. */
void handle_volumes_prune(struct request *r)
{
	sizes_count(r, SIZES_VOLUMES, NULL, prune);
}
