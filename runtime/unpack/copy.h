/* docker cp, export and diff: a container's files to a tar on standard output and back. What the
 * engine tells of the container is in view.h; `scratch` is a directory to mount on, `container` its
 * name for sentences. Each returns 0 or -errno. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct copy {
	const char *scratch, *container, *path;
	bool keep_kinds;   /* docker's noOverwriteDirNonDir */
	bool owned;        /* copyUIDGID: by the container's user */
};

/* One line of JSON (inside.h) on standard output. */
int copy_stat(const struct copy *c, struct err *e);

/* The same, and after it the tar. */
int copy_out(const struct copy *c, struct err *e);

/* A tar, plain or gzip or zstd, on standard input. -EROFS: it cannot be written there. */
int copy_in(const struct copy *c, struct err *e);

/* All of its root, without what is mounted in it, as a tar. */
int copy_export(const struct copy *c, struct err *e);
