/* Reading a container's log: docker's json-file lines, in PATH and what was rotated away to
 * PATH.1 (newer), PATH.2 ... Memory is bounded by the longest line. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { LOGFILE_LINE_MAX = 1 << 20 };

struct logfile;

enum log_stream { LOG_STDOUT = 1, LOG_STDERR = 2 };

struct log_line {
	enum log_stream stream;
	const char *text;      /* as written, with its newline if it had one; valid until the next */
	size_t len;
	const char *time;      /* RFC 3339 */
};

/* Places itself before the last `tail` lines (negative: before all there are). */
int logfile_open(struct logfile **out, const char *path, int64_t tail, struct err *e);
void logfile_close(struct logfile *l);

/* 1: a line; 0: no more at the moment (call again when the file grew); -errno. Goes on into the
 * next file when the log was rotated. Lines that are none are skipped. */
int logfile_next(struct logfile *l, struct log_line *out);
