/* docker's stream of JSON lines (pull, push ...) on this terminal: a line for each layer that
 * changes in place; where there is no terminal, a line for each change of state. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/http.h"

/* Shows it to its end and closes it. `to` NULL: only errors. 0, or -EIO with the stream's own. */
int progress_show(struct http_response *answer, FILE *to, struct err *e);

/* "[====>    ]  1.2MB/3.4MB" in docker's proportions; `total` 0: the size alone. */
enum { PROGRESS_BAR_MAX = 128 };
char *progress_bar(uint64_t current, uint64_t total, char out[PROGRESS_BAR_MAX]);
