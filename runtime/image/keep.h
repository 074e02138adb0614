/* The store that is written on the machine: its names, and what nobody needs any more. One writer
 * at a time (the engine). Order of all writes, so that a power cut at any point leaves it whole:
 *   1. layers are unpacked under tmp/, synced, and renamed to layers/HEX;
 *   2. the layers' blobs, config and manifest come to blobs/ the same way;
 *   3. index.json, which alone makes an image of them, is replaced.
 * Taking away goes the other way round: first index.json, then what it no longer needs is renamed
 * to tmp/, which is emptied later and at the next start. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/manifest.h"

/* An image that lies in the store, or (a name more for it) in another one. */
struct keep_image {
	const char *digest, *media_type; /* of the manifest */
	uint64_t size_bytes;
	const char *layer_sizes;         /* "bytes,bytes", bottom first; NULL: not known */
};

/* Gives it the full reference (NULL: none), which any other image loses; that one stays, without a
 * name. Returns 1 when the reference named this image before, 0, or -errno. */
int keep_name(const char *dir, const struct keep_image *image, const char *ref, struct err *e);

/* Takes the name away; the image stays, without one. -ENOENT: no entry has it. */
int keep_unname(const char *dir, const char *ref, struct err *e);

/* Takes the image out of the index, all its names with it. 0 or -errno. */
int keep_forget(const char *dir, const char *digest, struct err *e);

/* Moves to tmp/ what no image of the index needs. Not while something is written into the store.
 * 0 or -errno. */
int keep_collect(const char *dir, struct err *e);

/* Makes the directories that are missing. 0 or -errno. */
int keep_prepare(const char *dir, struct err *e);

/* Is there a file of this digest under blobs/? Its fd, or -errno. */
int keep_blob(int dir, const char *digest);
