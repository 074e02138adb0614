/* docker's multiplexed stream: 1 byte stream, 3 zero, 4 length (big endian), then the bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* One frame. `time` (may be NULL) and a space go before the text. `raw`: no header. */
void frame_add(struct buf *out, unsigned stream, const char *time, const char *text, size_t len,
	       bool raw);
