/* load: images of an archive into the store: an OCI layout, a docker-save archive of the old or
 * the new kind, of one image or several; plain, gzip or zstd. */
#pragma once

#include <stdbool.h>

#include "unpack/session.h"

enum { LOAD_IMAGES_MAX = 64 };

struct load {
	const char *const *dirs;  /* stores: the one that is written first */
	size_t dir_count;
	const char *platform;     /* "linux/amd64": of an image for several */
	bool quiet;               /* no progress */
	int result;               /* fd that gets each image's line of session_tell and its names */
};

/* The archive is standard input, progress goes to standard output. 0 or -errno; images that came
 * before one that is refused have been told. */
int load_images(const struct load *load, struct err *e);
