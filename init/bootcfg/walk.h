/* The walk over a YAML tree along the schema: faults, and the JSON of everything that has none. */
#pragma once

#include "base/buf.h"
#include "bootcfg/fault.h"
#include "bootcfg/origins.h"
#include "bootcfg/schema.h"

struct walk {
	yyjson_mut_doc *doc;
	struct faults *faults;
	struct origins origins;
	const char *file;
	struct buf path;         /* of the value under the walk: "containers.web.ports[0]" */
	yyjson_mut_val *dropped; /* paths of atomic values that a fault cost */
	size_t steps;            /* nodes visited, aliases each time */
};

/* The JSON of the node; NULL after a fault, or for nothing (a null). */
yyjson_mut_val *walk_value(struct walk *w, const struct type *t, const struct node *n);

/* A fault at the node, under the present path. */
void walk_fault(struct walk *w, enum fault_level level, const struct node *n, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A copy of the text in the JSON document. NULL: out of memory. */
yyjson_mut_val *walk_text(struct walk *w, const char *text, size_t len);

/* Goes into a key: extends the path, which walk_leave sets back to what walk_enter returned. */
size_t walk_enter(struct walk *w, const char *key);
void walk_leave(struct walk *w, size_t before);
