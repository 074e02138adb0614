/* A bundle on a disk that somebody brings: the disk itself, or a file NAME.bundle in its
 * file system. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

bool medium_is_disk(const char *path);

/* Returns an fd at the bundle's beginning, or -errno. A file system is mounted read-only, in a
 * mount namespace that this process has from then on; the fd is all that is left of it. */
int medium_open(const char *device, struct err *e);

/* The one regular file named *.bundle in a directory. Returns an fd or -errno. */
int medium_find(int dir, struct err *e);
