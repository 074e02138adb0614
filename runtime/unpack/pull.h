/* pull: an image of a registry into the store. fetch brings the bytes, the store's own processes
 * check and unpack them while the next ones come. */
#pragma once

#include "base/err.h"
#include "unpack/session.h"

struct pull {
	const char *ref;            /* in any form that docker takes */
	const char *platform;       /* "linux/amd64" */
	const char *fetch;          /* the program */
	const char *registries;     /* file with what is configured of registries */
	const char *const *dirs;    /* stores: the one that is written first */
	size_t dir_count;
	int result;                 /* fd that gets the line of session_tell, and "ref ..." */
};

/* Progress on stdout; standard input (the credentials) is fetch's. 0 or -errno. */
int pull_image(const struct pull *pull, struct err *e);
