/* A layer's tar made of its directory: the marks of overlayfs become an image's whiteouts. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "unpack/compose.h"

/* What lies in `dir` to the empty file `fd`; `skip` as in treeout.h, or NULL. `out` gets digest,
 * diff id and size; *empty: there was nothing. 0 or -errno. */
int layertar_make(int dir, int fd,
		  bool (*skip)(const char *path, const struct stat *st, bool empty),
		  struct compose_layer *out, bool *empty, struct err *e);
