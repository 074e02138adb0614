/* RFC 4648: base64, read in both alphabets (the URL-safe one too), padding optional. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/* White space is skipped. 0, -EINVAL, or -EFBIG when it does not fit into `room`. */
int base64_decode(const char *text, size_t len, unsigned char *out, size_t room,
		  size_t *out_len);

void base64_encode(const void *data, size_t len, struct buf *out);
