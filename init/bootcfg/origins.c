#include "bootcfg/origins.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

static const char name[] = "origins", keys_path[] = "ssh_authorized_keys[";

void origins_free(struct origins *o)
{
	free(o->items);
	*o = (struct origins){ 0 };
}

/* Its place, or the free one that it would take. (No qsort and bsearch: glibc's qsort opens files,
 * which the jail forbids.) `room` is a power of two, and more than `count`. */
static struct origin *place(const struct origins *o, const yyjson_mut_val *value)
{
	size_t at = ((uintptr_t)value >> 4) * 0x9e3779b1u & (o->room - 1);

	while (o->items[at].value && o->items[at].value != value)
		at = (at + 1) & (o->room - 1);
	return &o->items[at];
}

static bool grow(struct origins *o)
{
	struct origins bigger = { .count = o->count, .room = o->room ? o->room * 2 : 64 };

	bigger.items = calloc(bigger.room, sizeof(*bigger.items));
	if (!bigger.items)
		return false;
	for (size_t i = 0; i < o->room; i++)
		if (o->items[i].value)
			*place(&bigger, o->items[i].value) = o->items[i];
	free(o->items);
	*o = bigger;
	return true;
}

void origins_note(struct origins *o, const yyjson_mut_val *value, unsigned line)
{
	struct origin *at;

	if (o->count * 2 >= o->room && !grow(o))
		return;
	at = place(o, value);
	o->count += !at->value;
	*at = (struct origin){ value, line };
}

/* ---- from values to paths ---- */

/* One way through the finished configuration. */
struct way {
	const struct origins *noted;
	yyjson_mut_doc *doc;
	yyjson_mut_val *out;
	struct buf path;
	size_t bytes; /* in `out` */
};

static void put(struct way *w, const yyjson_mut_val *value)
{
	const struct origin *found = w->noted->room ? place(w->noted, value) : NULL;

	if (!found || !found->value || !w->path.len || w->bytes + w->path.len > ORIGINS_BYTES_MAX)
		return;
	w->bytes += w->path.len;
	yyjson_mut_obj_add(w->out, yyjson_mut_strncpy(w->doc, w->path.data, w->path.len),
			   yyjson_mut_uint(w->doc, found->line));
}

static void go(struct way *w, yyjson_mut_val *value);

static void go_on(struct way *w, size_t before, yyjson_mut_val *value)
{
	go(w, value);
	w->path.len = before;
	if (w->path.data)
		w->path.data[before] = '\0';
}

static void go(struct way *w, yyjson_mut_val *value)
{
	size_t before = w->path.len, i, max;
	yyjson_mut_val *key, *item;

	put(w, value);
	if (yyjson_mut_is_obj(value)) {
		yyjson_mut_obj_foreach(value, i, max, key, item) {
			buf_addf(&w->path, before ? ".%s" : "%s", yyjson_mut_get_str(key));
			go_on(w, before, item);
		}
	} else if (yyjson_mut_is_arr(value)) {
		yyjson_mut_arr_foreach(value, i, max, item) {
			yyjson_mut_val *named = yyjson_mut_obj_get(item, "name");

			if (yyjson_mut_is_str(named))
				buf_addf(&w->path, ".%s", yyjson_mut_get_str(named));
			else
				buf_addf(&w->path, "[%zu]", i);
			go_on(w, before, item);
		}
	}
}

void origins_put(const struct origins *o, yyjson_mut_doc *doc, yyjson_mut_val *config,
		 const char *file)
{
	struct way w = { .noted = o, .doc = doc, .out = yyjson_mut_obj(doc) };
	yyjson_mut_val *files = yyjson_mut_obj(doc);

	go(&w, config);
	buf_free(&w.path);
	yyjson_mut_obj_add(files, yyjson_mut_strcpy(doc, file), w.out);
	yyjson_mut_obj_add_val(doc, config, name, files);
}

/* ---- as configurations are merged ---- */

static yyjson_mut_val *files_of(yyjson_mut_doc *doc)
{
	yyjson_mut_val *root = yyjson_mut_doc_get_root(doc), *files = yyjson_mut_obj_get(root, name);

	return files ? files : yyjson_mut_obj_add_obj(doc, root, name);
}

/* The file's paths in `doc`, made if they are not there. */
static yyjson_mut_val *paths_of(yyjson_mut_doc *doc, const char *file)
{
	yyjson_mut_val *files = files_of(doc), *paths = yyjson_mut_obj_get(files, file);

	if (paths)
		return paths;
	paths = yyjson_mut_obj(doc);
	yyjson_mut_obj_add(files, yyjson_mut_strcpy(doc, file), paths);
	return paths;
}

static bool is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return !len || (strncmp(path, top, len) == 0 && (!path[len] || strchr(".[", path[len])));
}

static void add(yyjson_mut_doc *into, yyjson_mut_doc *from, const char *prefix, const char *top)
{
	yyjson_mut_val *file, *paths, *path, *line;
	size_t i, max, k, k_max;

	yyjson_mut_obj_foreach(yyjson_mut_obj_get(yyjson_mut_doc_get_root(from), name), i, max, file,
			       paths) {
		yyjson_mut_val *out = paths_of(into, yyjson_mut_get_str(file));

		yyjson_mut_obj_foreach(paths, k, k_max, path, line) {
			const char *text = yyjson_mut_get_str(path);
			autobuf struct buf whole = { 0 };

			if (!is_below(text, top) || strncmp(text, keys_path, strlen(keys_path)) == 0)
				continue;
			buf_addf(&whole, "%s%s", prefix, text);
			yyjson_mut_obj_add(out, yyjson_mut_strcpy(into, buf_text(&whole)),
					   yyjson_mut_val_mut_copy(into, line));
		}
	}
}

void origins_add(yyjson_mut_doc *into, yyjson_mut_doc *from, const char *prefix)
{
	add(into, from, prefix, "");
}

void origins_add_below(yyjson_mut_doc *into, yyjson_mut_doc *from, const char *path)
{
	add(into, from, "", path);
}

/* From `path` of `from` to `as` of `into`, where a later file goes over an earlier one. */
static void take(yyjson_mut_doc *into, const char *as, yyjson_mut_doc *from, const char *path)
{
	yyjson_mut_val *file, *paths, *line = NULL;
	const char *of = NULL;
	size_t i, max;

	yyjson_mut_obj_foreach(yyjson_mut_obj_get(yyjson_mut_doc_get_root(from), name), i, max, file,
			       paths) {
		yyjson_mut_val *found = yyjson_mut_obj_get(paths, path);

		line = found ? found : line;
		of = found ? yyjson_mut_get_str(file) : of;
	}
	if (line)
		yyjson_mut_obj_add(paths_of(into, of), yyjson_mut_strcpy(into, as),
				   yyjson_mut_val_mut_copy(into, line));
}

void origins_take_key(yyjson_mut_doc *into, size_t into_at, yyjson_mut_doc *from, size_t from_at)
{
	char as[64], path[64];

	snprintf(as, sizeof(as), "%s%zu]", keys_path, into_at);
	snprintf(path, sizeof(path), "%s%zu]", keys_path, from_at);
	take(into, as, from, path);
}

void origins_copy(yyjson_mut_doc *config, const char *path, const char *other)
{
	take(config, path, config, other);
}

void origins_default(yyjson_mut_doc *config, const char *path)
{
	yyjson_mut_obj_add(paths_of(config, "default"), yyjson_mut_strcpy(config, path),
			   yyjson_mut_uint(config, 0));
}
