/* What a job of `store` is told of a container's files (unpack/view.h). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct container;

struct files {
	struct buf told;
	int process;       /* a pidfd, of one that lives; -1; the container's, not to be closed */
};

enum files_extent {
	FILES_ALL,         /* its root and all that is mounted there */
	FILES_ROOT,        /* its root alone */
	FILES_CHANGES,     /* its upper directory and the layers below, as on disk */
};

/* -EBUSY: it is just being started or stopped. 0 or -errno; free `told` in any case. */
int files_tell(struct container *c, enum files_extent extent, struct files *out, struct err *e);
