/* What the command says to whoever runs it: on stderr, and in --log for callers that read it there,
 * one line each as runc's logger writes it. */
#pragma once

#include <stdbool.h>

/* `path`: appended to; NULL: none. */
void report_to(const char *path, bool json);

void report_error(const char *text);
void report_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
