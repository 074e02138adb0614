/* A container's log: docker's json-file format, one JSON object a line, rotated by size
 * (NAME, NAME.1 ... the oldest goes). A disk that is full costs lines, never the container: they
 * are counted, and the log says how many are missing once it can be written again. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct logfile;

enum log_stream { LOG_STDOUT, LOG_STDERR };

/* Appends to the file that is there. 0 or -errno. `max_files` counts the current one. */
int logfile_open(struct logfile **out, const char *path, uint64_t max_bytes, unsigned int max_files,
		 struct err *e);
/* One that goes to a syslog server, which it takes over (NULL: out of memory). */
struct syslog;
struct logfile *logfile_of_syslog(struct syslog *s);
void logfile_close(struct logfile *l); /* flushes; NULL is fine */

/* One line (its '\n' included) or a part of one. Kept in memory until logfile_flush. */
void logfile_add(struct logfile *l, enum log_stream stream, const char *text, size_t len);

/* Writes what was added, rotating first if the file is full. Never fails: see above. */
void logfile_flush(struct logfile *l);
