/* How much the files below directories are, as docker counts: sizes of regular files, one of
 * several names once. */
#pragma once

#include "base/err.h"

/* Told on fd 4: ["/path", ...]. A number a line on standard output, in their order; what is not
 * there has 0. 0 or -errno. */
int usage_print(struct err *e);
