/* The layers of one image, bottom first, to directories: a jailed process reads the archives, this
 * one writes the files (wire.h is between them). Layers that are there are only looked at. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/manifest.h"
#include "unpack/stream.h"

struct layers_one {
	char digest[REF_DIGEST_MAX];  /* of the blob; "": not known */
	char diff_id[REF_DIGEST_MAX];
	uint64_t blob_bytes;
	int blob;                     /* an fd; -1: the layer is there ... */
	int dir;                      /* ... unpacked, here; else where it is unpacked to */
	uint64_t files_bytes;         /* afterwards */
	struct stream_sums sums;      /* afterwards, of those that were unpacked */
};

struct layers {
	struct layers_one *all;
	size_t count;
	int ready; /* a byte comes for each blob that is whole, in order; -1: all are */
	/* Called after each layer, and now and then before that. */
	void (*progress)(void *arg, size_t i, uint64_t bytes, bool done);
	void *arg;
};

/* Blocks until all are unpacked. 0, or -errno with a sentence that names the layer. */
int layers_unpack(struct layers *job, struct err *e);
