/* Several texts in one: what a jailed child hands back. "NAME LENGTH\n" and as many bytes, again
 * and again; a name is one word. The texts may be any bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct section {
	char name[32];
	const char *data; /* inside of the buffer, not terminated */
	size_t len;
};

void section_add(struct buf *out, const char *name, const void *data, size_t len);
void section_add_text(struct buf *out, const char *name, const char *text);

/* The section at `*at`, which moves behind it. False at the end, or where the format is broken. */
bool section_next(const struct buf *in, size_t *at, struct section *out);
