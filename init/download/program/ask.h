/* One request and its whole answer, for protocols. Inside of download. */
#pragma once

#include "download/program/http.h"

/* Standard input: lines "Name: value", an empty line, the body; all of it may be missing.
 * Standard output: "STATUS\n", lines "Name: value", an empty line, the body; the status may be
 * any. With EXIT_FAILED it is one sentence instead, without a line's end. */
int ask(const struct http_options *o);
