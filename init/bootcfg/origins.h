/* Where each value of a configuration was written. The walk notes the line of each value that it
 * makes; when it is done, they become "origins" of the configuration, file by file:
 *   {"vendor-data": {"ntp": 2, "ntp.enabled": 2}, "user-data": {"hostname": 3, "containers.a": 5}}
 * (line 0: somewhere in it).
 * Of several files that name a path the last one counts, as in the merge (merge.h); a path that is
 * in none is its parent's. Paths are those of the JSON: "a.b[2]", but an item that has a name
 * is known by that: "containers.web". `berth config show` reads it (runtime/cli/config_show.c). */
#pragma once

#include <stddef.h>
#include <yyjson.h>

/* The paths of one text; values behind that have their parents' lines. */
enum { ORIGINS_BYTES_MAX = 512 * 1024 };

struct origin {
	const yyjson_mut_val *value; /* NULL: a free place */
	unsigned line;
};

struct origins {
	struct origin *items; /* a table by `value`; owned */
	size_t count, room;
};

void origins_free(struct origins *o);

/* What there is no memory for has its parent's line. */
void origins_note(struct origins *o, const yyjson_mut_val *value, unsigned line);

/* Adds "origins" to `config`, a value of `doc`, out of what was noted. */
void origins_put(const struct origins *o, yyjson_mut_doc *doc, yyjson_mut_val *config,
		 const char *file);

/* Adds those of `from` to those of `into`, over them; SSH keys are left out, as their places
 * change (origins_take_key). `prefix` goes before each path. */
void origins_add(yyjson_mut_doc *into, yyjson_mut_doc *from, const char *prefix);

/* The same for those whose path is `path` or below it. */
void origins_add_below(yyjson_mut_doc *into, yyjson_mut_doc *from, const char *path);

/* The SSH key that is `from_at` of `from` has become `into_at` of `into`. */
void origins_take_key(yyjson_mut_doc *into, size_t into_at, yyjson_mut_doc *from, size_t from_at);

/* Nobody has written the value at `path`: it is "default", line 0. */
void origins_default(yyjson_mut_doc *config, const char *path);

/* The value at `path` is made of the one at `other`. */
void origins_copy(yyjson_mut_doc *config, const char *path, const char *other);
