#include "update/verity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int verity_layout(const struct verity *v, struct verity_levels *out)
{
	struct verity_levels l = { 0 };
	uint64_t blocks = v->data_blocks, at = v->hash_start_block;

	if (!blocks)
		return -EINVAL;
	do {
		blocks = (blocks + VERITY_PER_BLOCK - 1) / VERITY_PER_BLOCK;
		if (l.count == VERITY_LEVELS_MAX)
			return -EINVAL;
		l.blocks[l.count++] = blocks;
	} while (blocks > 1);
	/* The disk has the top level first. */
	for (unsigned i = l.count; i-- > 0; at += l.blocks[i])
		l.start[i] = at;
	l.end = at;
	*out = l;
	return 0;
}

void verity_hash(const struct verity *v, const void *block, uint8_t out[SHA256_SIZE])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, v->salt, v->salt_bytes);
	sha256_add(&s, block, VERITY_BLOCK_BYTES);
	sha256_end(&s, out);
}

int verity_check_tree(const struct verity *v, const struct verity_levels *levels,
		      const uint8_t *tree, struct err *e)
{
	const uint64_t first = levels->start[levels->count - 1];

	for (unsigned level = levels->count; level-- > 0;) {
		for (uint64_t i = 0; i < levels->blocks[level]; i++) {
			const uint8_t *block = tree + (levels->start[level] + i - first) * VERITY_BLOCK_BYTES;
			const uint8_t *expected = v->root_hash;
			uint8_t hash[SHA256_SIZE];

			if (level + 1 < levels->count)
				expected = tree + (levels->start[level + 1] - first) * VERITY_BLOCK_BYTES +
					   i * SHA256_SIZE;
			verity_hash(v, block, hash);
			if (memcmp(hash, expected, sizeof(hash)) != 0)
				return err_set(e, -EBADMSG, "the root's hash tree does not lead to its root hash");
		}
	}
	return 0;
}

struct checker {
	const struct verity *v;
	struct verity_levels levels;
	verity_read_fn *read;
	void *arg;
	/* The tree's block that is held of each level, and one for what is being checked. */
	uint8_t (*held)[VERITY_BLOCK_BYTES];
	uint64_t held_index[VERITY_LEVELS_MAX];
};

static int hold(struct checker *c, unsigned level, uint64_t index, struct err *e);

/* `block` is number `index` of what `level` hashes: the data for level 0, else the level below. */
static int check_block(struct checker *c, unsigned level, uint64_t index, uint64_t where,
		       const uint8_t *block, struct err *e)
{
	uint8_t hash[SHA256_SIZE];
	const uint8_t *expected = c->v->root_hash;

	if (level < c->levels.count) {
		int rc = hold(c, level, index / VERITY_PER_BLOCK, e);

		if (rc < 0)
			return rc;
		expected = c->held[level] + index % VERITY_PER_BLOCK * SHA256_SIZE;
	}
	verity_hash(c->v, block, hash);
	if (memcmp(hash, expected, sizeof(hash)) != 0)
		return err_set(e, -EBADMSG, "block %llu of the root is not what its hash tree says",
			       (unsigned long long)where);
	return 0;
}

static int hold(struct checker *c, unsigned level, uint64_t index, struct err *e)
{
	uint64_t where = c->levels.start[level] + index;
	int rc;

	if (c->held_index[level] == index + 1)
		return 0;
	c->held_index[level] = 0;
	rc = c->read(c->arg, where, c->held[level]);
	if (rc < 0)
		return err_code(e, rc, "read block %llu of the root", (unsigned long long)where);
	rc = check_block(c, level + 1, index, where, c->held[level], e);
	if (rc == 0)
		c->held_index[level] = index + 1;
	return rc;
}

int verity_check(const struct verity *v, verity_read_fn *read, void *arg, struct err *e)
{
	struct checker c = { .v = v, .read = read, .arg = arg };
	autofree void *memory = NULL;
	uint8_t *block;
	int rc = verity_layout(v, &c.levels);

	if (rc < 0)
		return err_set(e, rc, "the root's hash tree has an impossible size");
	/* Aligned, because the device is read past the page cache. */
	if (posix_memalign(&memory, VERITY_BLOCK_BYTES, (VERITY_LEVELS_MAX + 1) * VERITY_BLOCK_BYTES))
		return err_set(e, -ENOMEM, "check the root: out of memory");
	c.held = memory;
	block = c.held[VERITY_LEVELS_MAX];
	for (uint64_t i = 0; i < v->data_blocks; i++) {
		rc = read(arg, i, block);
		if (rc < 0)
			return err_code(e, rc, "read block %llu of the root", (unsigned long long)i);
		rc = check_block(&c, 0, i, i, block, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}
