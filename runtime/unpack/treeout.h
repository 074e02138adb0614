/* What lies in a directory, entry by entry to a sink: a container's files for docker cp and export,
 * its upper directory as a layer for commit. No symlink is followed, nothing but directories and
 * files is opened, and the tree may change meanwhile: a file that grows is cut at the size that its
 * entry says, one that shrinks is filled up with zeros. Sockets are left out, as docker does. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "unpack/layer.h"

struct treeout {
	const struct sink *sink;
	uint32_t base;   /* the id that 0 is on this mount */
	bool layer;      /* overlayfs's marks become an image's whiteouts, the root has no entry */
	/* Not this one; NULL: all. `path` as in the archive; `empty`: a file without anything in it, a
	 * directory in which nothing is left. */
	bool (*skip)(const char *path, const struct stat *st, bool empty);
};

/* The entry `name` of `dir` (NULL: `dir` itself) and what is below it, called `as` there: "." gives
 * "./x", "/" gives "/x", "" gives "x". 0 or -errno. */
int treeout_put(const struct treeout *t, int dir, const char *name, const char *as, struct err *e);
