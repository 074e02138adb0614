/* Bytes from a pipe or a terminal to log lines, cut as docker cuts them: at '\n', or after 16 KiB
 * without one; the rest of such a line follows as a message of its own. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "shim/logfile.h"

enum { LINE_MAX_BYTES = 16 * 1024 };

struct lines {
	enum log_stream stream;
	/* Sees what was read, as it came. */
	void (*tap)(void *arg, enum log_stream stream, const char *data, size_t len);
	void *tap_arg;
	size_t len;                 /* of an unfinished line */
	char text[LINE_MAX_BYTES];
};

/* Reads once from `fd` into the log (NULL: output is dropped). What read(2) returned, or -errno. */
ssize_t lines_read(struct lines *l, int fd, struct logfile *log);

/* The end: what has no newline is logged without one. */
void lines_end(struct lines *l, struct logfile *log);
