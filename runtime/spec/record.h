/* Structs that are read from JSON, written as JSON and freed by one table each. A record is a
 * C struct; its table (struct record_field[]) says which JSON key fills which member. All memory
 * is malloc'ed, so a caller may replace a member with its own strdup().
 * Unknown keys are ignored, as both the OCI and the image specification ask of a reader.
 * null counts as absent. Everything is bounded: RECORD_*_MAX. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "yyjson.h"

enum {
	RECORD_STRING_MAX = 128 * 1024, /* as the kernel's MAX_ARG_STRLEN */
	RECORD_ITEMS_MAX = 16384,	/* entries of one list or map */
};

struct string_list {
	char **items;
	size_t count;
	bool present; /* tells [] from an absent key */
};

struct string_pair {
	char *name;
	char *value;
};

struct string_map {
	struct string_pair *items;
	size_t count;
};

/* A number that may be absent. */
struct opt_int {
	bool set;
	int64_t value;
};

enum record_kind {
	RECORD_STRING,	/* char *; NULL: absent */
	RECORD_STRINGS, /* struct string_list */
	RECORD_KEYS,	/* struct string_list: the keys of an object, its values ignored */
	RECORD_MAP,	/* struct string_map: object of strings */
	RECORD_BOOL,	/* bool */
	RECORD_INT,	/* int64_t; 0: absent. Above INT64_MAX: INT64_MAX */
	RECORD_U64,	/* uint64_t; absent: 0 */
	RECORD_OPT_INT, /* struct opt_int */
	RECORD_INTS,	/* struct { int64_t *items; size_t count; } */
	RECORD_OBJECT,	/* an embedded struct */
	RECORD_POINTER, /* pointer to a struct; NULL: absent */
	RECORD_LIST,	/* struct { T *items; size_t count; } of structs */
	RECORD_NAMED,	/* like LIST: an object of structs; its keys are their RECORD_NAME */
	RECORD_NAME,	/* char *, first in the table of a struct that is in a NAMED list */
	RECORD_RAW,	/* const yyjson_val *, borrowed from the document; not written */
	RECORD_REFUSED, /* no member: a key that must not be there unless empty */
};

struct record_type;

struct record_field {
	const char *key; /* NULL ends the table */
	enum record_kind kind;
	size_t offset;
	const struct record_type *type; /* of OBJECT, POINTER, LIST, NAMED */
	bool required;
};

struct record_type {
	size_t size;
	const struct record_field *fields;
	bool or_string; /* a string in an object's place is its first member, as once it was written */
};

/* Fills `out` (zeroed first). On error nothing is owned and `e` names the key's path, as in
 * "mounts[2].destination: expected a string". `path` is put in front of keys; "" for none. */
int record_read(const struct record_type *type, yyjson_val *object, const char *path, void *out,
		struct err *e);

/* An object in `doc` with the members that are there, U+FFFD for what is no UTF-8 in a text; NULL:
 * out of memory. */
yyjson_mut_val *record_write(const struct record_type *type, const void *record,
			     yyjson_mut_doc *doc);

/* Frees what the record owns and zeroes it; not the record itself. */
void record_free(const struct record_type *type, void *record);

/* Appends a zeroed item to a { T *items; size_t count; } and returns it; NULL: out of memory. */
void *record_list_add(void *list, size_t item_size);

/* 0 or -ENOMEM; text is copied. */
int string_list_add(struct string_list *list, const char *text);
int string_map_set(struct string_map *map, const char *name, const char *value); /* replaces */
const char *string_map_get(const struct string_map *map, const char *name);
void string_list_free(struct string_list *list); /* and zeroes it */
bool string_list_has(const struct string_list *list, const char *text);
