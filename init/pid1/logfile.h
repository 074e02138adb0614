/* A bounded log file: NAME.log and, once that is full, NAME.log.1. Lines get the time in front.
 * Never fails loudly: a log that cannot be written (tmpfs full) loses lines, not its writer. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

enum { LOGFILE_MAX_BYTES = 128 * 1024 };

struct logfile {
	int dir;         /* not owned */
	char name[48];
	int fd;          /* -1: not open */
	size_t bytes;
};

void logfile_open(struct logfile *f, int dir, const char *name);
void logfile_close(struct logfile *f);

/* Puts "2026-11-23T23:15:00.123Z LINE\n" at the end of `out`. */
void logfile_format(struct buf *out, const char *line, size_t len);

/* Writes whole lines, after a rotation if they would not fit. */
void logfile_write(struct logfile *f, const char *data, size_t len);
