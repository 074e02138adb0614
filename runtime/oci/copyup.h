/* "tmpcopyup": a new tmpfs begins with what the directory below it holds. The tree is the image's,
 * so every step goes by fd and follows no symlink. */
#pragma once

#include "base/err.h"

/* Copies the directory `from` (O_PATH) into the directory `to`: owners, modes, times, symlinks,
 * FIFOs and devices, as far as the caller may make them. 0 or -errno. */
int copyup(int from, int to, struct err *e);
