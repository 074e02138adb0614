/* Points in time as docker's clients send them and as log files hold them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* "1795471979", "1795471979.069205396" (Unix seconds) or RFC 3339. 0: none, or not readable. */
int64_t timestamp_parse(const char *text);

/* Unix seconds of RFC 3339, of any year from 0 on. 0: NULL, or not readable. */
int64_t timestamp_seconds(const char *rfc3339);

/* The same, or how long before `now_ns`: "24h", "1h30m". 0: not readable. */
int64_t timestamp_or_ago(const char *text, int64_t now_ns);
