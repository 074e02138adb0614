/* save: images of the store as one tar that is an OCI layout and a docker-archive at once. */
#pragma once

#include "base/err.h"
#include "unpack/blobs.h"

struct save {
	const char *const *dirs;  /* stores: the one in whose tmp/ we work first */
	size_t dir_count;
};

/* Told on fd 4: [{"digest", "id", "refs": ["docker.io/library/x:1", ...]}]. The tar goes to
 * standard output. A layer that came with the system has no archive: one is made of its files,
 * and the image gets the digests that go with it. 0 or -errno. */
int save_images(const struct save *save, struct err *e);
