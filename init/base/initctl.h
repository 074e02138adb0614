/* PID 1's control socket: one line asked, an answer, end (init/pid1/README.md). */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the answer to `out`. An answer "error: SENTENCE" becomes an error. 0 or -errno. */
int initctl_ask(const char *request, struct buf *out, struct err *e);
