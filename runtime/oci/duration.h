/* Go's notation for a time span, which runc's options have: "5s", "300ms", "1m30s", "1.5h". */
#pragma once

#include <stdint.h>

/* 0 or -EINVAL; more than a thousand hours is refused as well. */
int duration_parse(const char *text, int64_t *out_ms);
