/* The schema: every key that a configuration may have, as tables of types. One walk (walk.h) over
 * a YAML tree checks it against the table and makes the normalised JSON; `bootcfg explain` prints
 * the same table. Whoever adds a key adds a row. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/err.h"
#include "bootcfg/node.h"

struct walk;
struct type;

/* Makes the JSON value of a node, or returns NULL with the reason in `why` (which may stay empty:
 * then "found X, expected Y" says it all). */
typedef yyjson_mut_val *read_fn(struct walk *w, const struct type *t, const struct node *n,
				struct err *why);

/* NULL: fine. Otherwise the reason, a constant. */
typedef const char *check_fn(const char *text);

/* Looks at the finished value as a whole; adds its own faults. */
typedef void finish_fn(struct walk *w, const struct node *n, yyjson_mut_val *value);

enum type_kind {
	TYPE_SCALAR, /* `read` makes a value from the text */
	TYPE_LIST,   /* of `item` */
	TYPE_MAP,    /* free keys, values of `item` */
	TYPE_OBJECT, /* the keys of the table `keys` */
};

struct key {
	const char *name;
	const struct type *type;
	const char *json;    /* its name in the JSON; NULL: the same */
	const char *normal;  /* what holds without it, for people */
	const char *help;
	const char *example; /* YAML, the value alone */
	const char *refused; /* known, but not done: the reason. No type then. */
	bool required;
	bool flatten;        /* its own keys go into the object around it */
	bool append;         /* its items go to those that are there under this JSON name */
};

struct type {
	enum type_kind kind;
	const char *name;     /* "byte size": in the reference */
	const char *expected; /* "a byte size such as \"64m\"": in faults */

	read_fn *read;        /* the value written as text: a scalar, or a short form */
	read_fn *read_list;   /* a map written as a list */
	check_fn *check;      /* of a scalar's text, or of a map's keys */
	const char *const *words; /* the only texts there are, NULL-terminated */
	int64_t min, max;     /* of an integer */

	const struct type *item;
	const struct key *keys;
	size_t key_count;
	const char *list_key; /* a map becomes a list of objects; their key goes under this name */
	size_t count_max;     /* items of a list or map; 0: 1000 */

	finish_fn *finish;
	bool single;          /* a list of one may be written without the list */
	bool splice;          /* `read` of an item gives a list of items */
	bool atomic;          /* a fault inside costs the whole value */
	bool marked;          /* an object with a fault inside says so: "faulty": true */
	bool open;            /* unknown keys are somebody else's business */
	bool extensions;      /* keys that begin with "x-" are the author's own */
	bool dollars;         /* "$$" is "$", and a variable is a fault (Compose) */
	bool secret;          /* never shown in a fault */
	/* An unknown key is no fault of the value, only of the key: a warning. */
	const struct key *foreign;
	size_t foreign_count;
};

extern const struct type schema_root;      /* the whole configuration: schema_root.c */
extern const struct type schema_meta;      /* NoCloud's meta-data: schema_root.c */
extern const struct type schema_container; /* one of containers: schema_container.c */

/* The key under this name, or NULL. */
const struct key *schema_key(const struct type *object, const char *name);

/* The known name that a person may have meant, or NULL. */
const char *schema_nearest(const struct type *object, const char *name);
