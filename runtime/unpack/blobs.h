/* Blobs of images in several stores looked at as one: documents, and layers' archives as they
 * came. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct blobs {
	const char *const *dirs;
	size_t count;
};

/* In whichever store has it: an fd, or -1. */
int blobs_open(const struct blobs *b, const char *digest);

/* A document, its digest checked. 0 or -errno. */
int blobs_read(const struct blobs *b, const char *digest, size_t max, struct buf *out,
	       struct err *e);

/* The unpacked layer: an fd, or -1. */
int blobs_open_layer(const struct blobs *b, const char *diff_id);
