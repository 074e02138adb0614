/* dm-verity's hash tree (Documentation/admin-guide/device-mapper/verity.rst, version 1, SHA-256,
 * blocks of 4096 bytes, salt in front, no superblock), checked in user space: after a root was
 * written it is read back and each block is hashed up to the root hash that the manifest names.
 * Memory: one block of each level. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"

enum {
	VERITY_BLOCK_BYTES = 4096,
	VERITY_SALT_MAX = 256,
	VERITY_LEVELS_MAX = 4, /* 128 hashes a block: 128^4 blocks are a TiB */
	VERITY_PER_BLOCK = VERITY_BLOCK_BYTES / SHA256_SIZE,
};

struct verity {
	uint64_t data_blocks;
	uint64_t hash_start_block; /* of the tree, in blocks of the same device */
	uint8_t root_hash[SHA256_SIZE];
	uint8_t salt[VERITY_SALT_MAX];
	unsigned salt_bytes;
};

/* Where the tree's levels lie, leaves first; the count of levels. */
struct verity_levels {
	unsigned count;
	uint64_t start[VERITY_LEVELS_MAX], blocks[VERITY_LEVELS_MAX];
	uint64_t end; /* the first block behind the tree */
};

/* -EINVAL: more blocks than VERITY_LEVELS_MAX levels hold, or none. */
int verity_layout(const struct verity *v, struct verity_levels *out);

void verity_hash(const struct verity *v, const void *block, uint8_t out[SHA256_SIZE]);

/* Checks a tree by itself, all its blocks in memory (levels->start[count - 1] is the first). */
int verity_check_tree(const struct verity *v, const struct verity_levels *levels,
		      const uint8_t *tree, struct err *e);

/* Reads one block of the device; 0 or -errno. */
typedef int verity_read_fn(void *arg, uint64_t block, void *data);

/* Checks the whole device. -EBADMSG names the first block that is wrong. */
int verity_check(const struct verity *v, verity_read_fn *read, void *arg, struct err *e);
