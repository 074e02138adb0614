/* Paths that came from outside are resolved by the kernel under a directory fd (openat2(2)),
 * never as strings: no "..", symlink or magic link leads out of it. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* Opens `path` as if `root` were "/": symlinks are followed inside `root` only
 * (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS). O_CLOEXEC is added. Returns an fd or -errno. */
int path_open_in(int root, const char *path, int flags, mode_t mode, struct err *e);

/* Makes the directories of `path` inside `root` that are missing, with `mode`, and returns an
 * O_PATH fd of the last one. Each step is resolved by the kernel. Returns an fd or -errno. */
int path_mkdirs_in(int root, const char *path, mode_t mode, struct err *e);

/* mkdir -p for our own fixed paths (absolute, no symlink tricks expected). 0 or -errno. */
int path_mkdirs(const char *path, mode_t mode, struct err *e);

/* Removes `name` under `dir` and all below it; never follows a symlink or crosses a mount.
 * Nothing there is no error. 0 or -errno. */
int path_remove_tree(int dir, const char *name, struct err *e);
