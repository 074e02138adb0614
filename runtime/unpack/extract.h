/* Records of a layer to files in a directory: owners, modes, times, xattrs, devices as they are.
 * Every path is resolved below the directory, without following a symlink. */
#pragma once

#include "base/err.h"
#include "unpack/wire.h"

struct extract;

/* `root` (an empty directory) stays the caller's. NULL: out of memory. */
struct extract *extract_new(int root);
void extract_free(struct extract *x); /* NULL is fine */

/* WIRE_ENTRY or WIRE_DATA. 0 or -errno. */
int extract_record(struct extract *x, const struct wire_record *record, struct err *e);

/* Directories get their times last, since what is put into them changes these. */
int extract_finish(struct extract *x, struct err *e);
