/* The subset of Go's text/template that docker's users write: fields, variables, pipes; if, else,
 * range, with, end; json, index, join, split, upper, lower, title, len, print, println, printf,
 * eq, ne, and, or, not, truncate. Source: Go's text/template; docker's documentation, "Format
 * command and log output". */
#pragma once

#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends what `text` makes of `dot`. 0, or -EINVAL with the place of the fault. */
int template_run(const char *text, yyjson_val *dot, struct buf *out, struct err *e);

/* "\t" and "\n" of a command line as what they mean; free it. */
char *template_unescape(const char *text);
