/* The body of a URL to standard output, as it comes. Inside of download. */
#pragma once

#include "download/program/http.h"

/* All of it from o->offset on, or the parts that standard input lists (lines FIRST LAST), one
 * behind the other. A connection that is cut is taken up where it ended, as often as it gets
 * further. Returns an exit code; the sentence is on standard error. */
int transfer(const struct http_options *o);
