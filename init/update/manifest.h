/* What a bundle says about itself: one JSON object, signed, of which nothing is read before its
 * signature was checked. It holds the digest of everything that follows it, chunk by chunk, so no
 * byte of a bundle is used before it was checked. README.md, "The bundle", has an example. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "update/verity.h"

enum {
	MANIFEST_BYTES_MAX = 4 << 20,
	MANIFEST_TEXT_MAX = 80,
	CHUNK_BYTES = 64 * 1024, /* of an image; its last chunk may be shorter */
	CHUNKS_MAX = 16384,      /* an image of 1 GiB */
};

/* An image is stored in chunks. One that is stored in as many bytes as it has is stored as it is,
 * otherwise as one zstd frame. */
struct chunk {
	uint32_t stored_bytes;
	uint8_t sha256[SHA256_SIZE]; /* of the stored bytes */
};

struct image {
	uint64_t bytes; /* a multiple of VERITY_BLOCK_BYTES */
	uint8_t sha256[SHA256_SIZE];
	uint64_t offset; /* of the first chunk, behind the head of the bundle */
	uint64_t stored_bytes;
	uint32_t chunk_count;
	struct chunk *chunks;
};

struct manifest {
	char digest[SHA256_HEX_MAX]; /* of the manifest itself: the version's identity */
	char version[MANIFEST_TEXT_MAX];
	char arch[MANIFEST_TEXT_MAX];
	char from[MANIFEST_TEXT_MAX]; /* the oldest version that may be replaced by this one */
	int64_t built;                /* Unix time */
	struct image boot, root;
	struct verity verity;
};

#define automanifest __attribute__((cleanup(manifest_free)))

/* `out` is zeroed or was freed. 0 or -EBADMSG and so on; nothing to free then. */
int manifest_parse(const char *text, size_t len, struct manifest *out, struct err *e);
void manifest_free(struct manifest *m);

/* How many bytes of the image chunk `i` holds. */
uint32_t image_chunk_bytes(const struct image *image, uint32_t i);

/* Compares "1.10.2" and "1.9+abc": numbers between dots; what follows a '+' does not count.
 * Negative, 0 or positive. */
int version_compare(const char *a, const char *b);

/* Digits, dots, and a build behind a '+'. */
int version_check(const char *text);
