/* Progress as docker's clients read it: a JSON object a line, on standard output. */
#pragma once

#include <stdint.h>

/* {"status":"Pulling fs layer","progressDetail":{},"id":"0123456789ab"} of a digest; `digest` NULL:
 * {"status":...} alone. */
void report_status(const char *digest, const char *status);
/* `total` 0: not known */
void report_progress(const char *digest, const char *status, uint64_t current, uint64_t total);
void report_text(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* {"status":...} */
void report_stream(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* {"stream":...} */
/* {"status":"Pulling from NAME","id":"TAG"} */
void report_id(const char *status, const char *id);
void report_raw(const char *json);
