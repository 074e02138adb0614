/* Records of a layer to files in an empty directory: owners, modes, times, xattrs, devices as they
 * are; every path is resolved below the directory, without following a symlink. Or records of an
 * archive into a container's files, which are there and change: a path is resolved as the container
 * would, and what is in the way is replaced by docker's rules. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "unpack/wire.h"

struct extract;

/* `root` (an empty directory) stays the caller's. NULL: out of memory. */
struct extract *extract_new(int root);

/* Into a container; or, as its files come out, into a directory of the host. */
struct extract_place {
	int root;                /* its "/"; or the directory */
	const char *dir;         /* where to, in it; a directory */
	bool strict;             /* no symlink is followed below it: what comes may have made one */
	uint32_t base;           /* the id that 0 of the container is here */
	bool keep_kinds;         /* a directory is not replaced by something else, nor the other way */
	bool owned;              /* by these, whatever the archive says */
	uint32_t uid, gid;
};
struct extract *extract_into(const struct extract_place *place);
void extract_free(struct extract *x); /* NULL is fine */

/* WIRE_ENTRY or WIRE_DATA. 0 or -errno. */
int extract_record(struct extract *x, const struct wire_record *record, struct err *e);

/* Directories get their times last, since what is put into them changes these. */
int extract_finish(struct extract *x, struct err *e);
