/* Writes a bundle's images into a slot's two partitions, so that a power cut at any moment leaves
 * a slot that nobody takes for whole:
 *
 *   1. zeros over the boot partition's first block, flushed: no kernel is found in the slot
 *   2. boot image (but its first block) and root image, flushed
 *   3. everything read back: the boot image's digest, the root's hash tree
 *   4. the boot partition's first block, flushed, read back
 *
 * The boot state is the caller's: bootstate_disarm before, bootstate_arm after. Step 1 and 4 hold
 * even where the boot state was lost and the loader has nothing else to go by. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "update/manifest.h"

struct install_progress {
	const char *doing; /* "writing", "verifying" */
	uint64_t done, total; /* bytes */
};

typedef void install_progress_fn(void *arg, const struct install_progress *p);

/* Where the chunks come from, in order: the boot image's, then the root image's. `out` has room for
 * CHUNK_BYTES and gets image_chunk_bytes() of them, checked. */
typedef int install_chunk_fn(void *arg, const struct image *image, uint32_t i, void *out,
			     struct err *e);

struct install {
	const struct manifest *manifest;
	const char *boot, *root; /* devices of the slot */
	install_chunk_fn *chunk;
	void *chunk_arg;
	install_progress_fn *progress; /* NULL: nobody wants to know */
	void *progress_arg;
};

/* Says no when the images do not fit, before anything is changed. */
int install_check_room(const struct install *in, struct err *e);

/* 0, or -errno with the slot left as no bootable one. */
int install_write(const struct install *in, struct err *e);

/* What the slot holds is what the manifest says, byte by byte. */
int install_verify(const struct install *in, struct err *e);
