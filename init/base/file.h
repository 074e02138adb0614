/* Whole small files: read with a bound, replaced atomically. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's bytes to `out`. More than `max_bytes`: -EFBIG. 0 or -errno. */
int file_read_at(int dir, const char *path, size_t max_bytes, struct buf *out, struct err *e);
int file_read_fd(int fd, size_t max_bytes, struct buf *out, struct err *e);

/* Replaces (or makes) the file so that a reader, and the disk after a power cut, holds the old
 * or the new content, never half: temporary, fsync, rename, fsync of the directory. */
int file_replace_at(int dir, const char *path, const void *data, size_t len, mode_t mode,
		    struct err *e);

/* One write to an existing file such as a cgroup's or sysctl's. 0 or -errno. */
int file_put_at(int dir, const char *path, const char *text, struct err *e);

/* Writes all of it, whatever write(2) does at a time. 0 or -errno. */
int file_write_all(int fd, const void *data, size_t len);
