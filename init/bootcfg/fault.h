/* What is wrong in a configuration: where, which key, one sentence. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/buf.h"

enum fault_level {
	FAULT_ERROR,   /* something asked for is not done */
	FAULT_WARNING, /* everything that can be done is done */
};

struct fault {
	enum fault_level level;
	char *file, *path, *message; /* owned */
	unsigned line, column;       /* 0: no place in a text */
};

/* Bounded: after FAULTS_MAX entries only the counts grow. */
enum { FAULTS_MAX = 200 };

struct faults {
	struct fault *items;
	size_t count;
	size_t errors, warnings;
};

#define autofaults __attribute__((cleanup(faults_free)))
void faults_free(struct faults *f);

void fault_add(struct faults *f, enum fault_level level, const char *file, unsigned line,
	       unsigned column, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));

/* "user-data:3:5: containers.web.ports[0]: SENTENCE", warnings with "warning: ". */
void fault_line(const struct fault *f, struct buf *out);

/* [{"level":"error","file":..,"line":..,"column":..,"path":..,"message":..}] and back. */
yyjson_mut_val *faults_to_json(const struct faults *f, yyjson_mut_doc *doc);
void faults_from_json(struct faults *f, yyjson_val *array);
