/* commit: what a container has changed becomes a layer on its image, in the store; import: a tar of
 * files becomes an image of one layer. */
#pragma once

#include "base/err.h"
#include "unpack/session.h"

struct commit {
	const char *const *dirs;  /* stores: the one that is written first */
	size_t dir_count;
	const char *scratch;      /* a directory to mount on; of commit */
	const char *digest, *id;  /* of the image's manifest and config; of commit */
	const char *platform;     /* of import */
	int result;               /* fd that gets the line of session_tell */
};

/* Told on fd 4: {"config": {...}, "author", "comment", "createdBy"}, and for commit what view.h
 * has of the container's changes. 0 or -errno. */
int commit_image(const struct commit *c, struct err *e);

/* The tar, plain or gzip or zstd, is standard input. 0 or -errno. */
int import_image(const struct commit *c, struct err *e);
