/* A tar archive of small texts, written to an fd (POSIX.1-2017, pax: "ustar interchange format").
 * Archives of layers and volumes are runtime/unpack's, with libarchive. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* `name` is a relative path of at most 99 bytes; mode 0600, owner root. 0 or -errno. */
int tarfile_add(int fd, const char *name, const void *data, size_t len, int64_t mtime_s,
		struct err *e);

/* The two empty blocks at the end. */
int tarfile_end(int fd, struct err *e);
