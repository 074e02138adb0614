/* Makes the image store that lies inside Berth's root out of image layouts and archives: one tar
 * stream with paths below usr/share/berth/store, for mkfs.erofs, made without any privilege.
 * The same images give the same bytes. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct embed_image {
	const char *ref;
	const char *path;
};

struct embed {
	struct embed_image *images;
	size_t count;
	const char *platform;   /* "linux/amd64" */
	const char *out;        /* a file; replaced only when all went well */
};

/* Prints one line per image on stdout. 0, or -errno with a sentence that names the image. */
int embed_images(const struct embed *job, struct err *e);
