/* Log lines of a program, on stderr: "NAME: sentence". Libraries do not log; programs do.
 * Under PID 1 stderr is the service's log pipe, so there is no timestamp here: PID 1 adds it.
 * Each line leaves in one write(2), so that lines of several processes do not mix. */
#pragma once

#include "base/err.h"

/* The name that lines begin with; not copied. */
void log_name(const char *name);

void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
