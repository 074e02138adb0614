/* A byte stream cut into lines, and what a line of a service's log means. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { LINES_MAX = 1024 };

struct lines {
	char part[LINES_MAX]; /* the line that has begun */
	size_t len;
};

typedef void lines_fn(const char *line, size_t len, void *arg);

/* Calls `each` for every line that is complete, without its end. What is longer than LINES_MAX
 * comes in pieces. */
void lines_feed(struct lines *l, const char *data, size_t len, lines_fn *each, void *arg);

/* A line that base/log.h wrote with log_warn or log_error: "NAME: error: ...". These are shown on
 * the console as well. */
bool line_is_loud(const char *line, size_t len);

/* Control characters become '?', so that a log line cannot move a terminal's cursor; cut to
 * `room` - 1 bytes. UTF-8 passes. */
void line_make_printable(const char *line, size_t len, char *out, size_t room);
