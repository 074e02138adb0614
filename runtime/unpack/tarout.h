/* Writes a tar: ustar headers, with pax records where ustar cannot say it (long names, large
 * numbers, nanoseconds, xattrs as SCHILY.xattr.*). The same entries give the same bytes. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "unpack/entry.h"
#include "unpack/layer.h"

struct tarout;

/* `fd` stays the caller's. 0 or -errno. */
int tarout_new(struct tarout **out, int fd, struct err *e);
void tarout_free(struct tarout *t); /* NULL is fine */

/* All paths, and hard links' targets, from now on go below this ("usr/share/x", or ""). */
int tarout_prefix(struct tarout *t, const char *prefix);

/* A sink that writes here. */
struct sink tarout_sink(struct tarout *t);

/* Our own directories and files: owned by root, 0755 and 0644, of the start of 1970. */
int tarout_dir(struct tarout *t, const char *path, struct err *e);
int tarout_file(struct tarout *t, const char *path, const void *data, size_t len, struct err *e);

/* The end of the archive, and everything written out. */
int tarout_end(struct tarout *t, struct err *e);
