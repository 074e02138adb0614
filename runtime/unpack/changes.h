/* docker diff: what a container has changed of its image's files, from overlayfs's upper
 * directory. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

/* A place that the runtime makes to mount on, with nothing of the container's in it: it belongs to
 * no change, and to no layer that is made of it. `path` without a leading "/". */
bool changes_are_ours(const char *path, const struct stat *st, bool empty);

/* The changes to standard output: [{"Path":"/x","Kind":1}], 0 changed, 1 added, 2 deleted;
 * `scratch` is a directory to mount on, the rest is told (view.h). 0 or -errno. */
int changes_print(const char *scratch, struct err *e);
