/* push: an image of the store to a registry, through fetch. */
#pragma once

#include <stddef.h>

#include "base/err.h"

enum { PUSH_SOURCES_MAX = 8 };

struct push {
	const char *ref;             /* where to: name and tag */
	const char *digest;          /* of the image's manifest in the store ... */
	const char *config_digest;   /* ... and of its config: the image's id */
	const char *fetch, *registries;
	const char *const *dirs;     /* stores */
	size_t dir_count;
	const char *sources[PUSH_SOURCES_MAX]; /* repositories of the same registry that may have layers */
	size_t source_count;
};

/* Progress on stdout; standard input (the credentials) is fetch's. 0 or -errno. */
int push_image(const struct push *push, struct err *e);
