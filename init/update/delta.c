#include "update/delta.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "update/bundle.h"
#include "update/device.h"

/* Where a block of the new root comes from. */
enum origin { ORIGIN_FETCH, ORIGIN_COPY, ORIGIN_TREE };

struct known {
	uint64_t key;   /* the hash's first bytes; the block is hashed again when it is copied */
	uint32_t block; /* of the running root */
};

struct delta {
	struct delta_source source;
	struct verity_levels levels;
	uint8_t *tree;        /* of the new root */
	struct known *known;  /* the running root's blocks, by key */
	size_t known_count;
	uint8_t *origin;      /* of each block of the new root */
	uint32_t *copy_from;  /* where ORIGIN_COPY */
	bool *boot_is_here;   /* of each chunk of the boot image */
	int boot, root;       /* the running slot */
	char *stored, *block, *ahead;
	struct device_reader reader;
	struct fetch fetch;
	bool fetching;
	uint64_t fetched;
};

static uint64_t key_of(const uint8_t hash[SHA256_SIZE])
{
	uint64_t key;

	memcpy(&key, hash, sizeof(key));
	return key;
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = ((const struct known *)a)->key, y = ((const struct known *)b)->key;

	return x < y ? -1 : x > y;
}

static const uint8_t *new_hash(const struct delta *d, uint64_t block)
{
	const uint64_t first = d->levels.start[d->levels.count - 1];

	return d->tree + (d->levels.start[0] - first) * VERITY_BLOCK_BYTES + block * SHA256_SIZE;
}

/* ---- the running root's tree ---- */

int delta_running_tree(const char *cmdline, struct verity *out)
{
	/* "... verity 1 DEVICE DEVICE 4096 4096 DATA-BLOCKS HASH-START sha256 ROOT-HASH SALT 1 ..." */
	const char *table = strstr(cmdline, " verity 1 ");
	unsigned long long blocks, start;
	char root[2 * SHA256_SIZE + 1], salt[2 * VERITY_SALT_MAX + 1];
	struct verity v = { 0 };

	if (!table || sscanf(table, " verity 1 %*s %*s 4096 4096 %llu %llu sha256 %64s %512s", &blocks,
			     &start, root, salt) != 4)
		return -EINVAL;
	v.data_blocks = blocks;
	v.hash_start_block = start;
	v.salt_bytes = (unsigned)strlen(salt) / 2;
	for (unsigned i = 0; i < v.salt_bytes; i++)
		if (sscanf(salt + (size_t)2 * i, "%2hhx", &v.salt[i]) != 1)
			return -EINVAL;
	for (unsigned i = 0; i < SHA256_SIZE; i++)
		if (sscanf(root + (size_t)2 * i, "%2hhx", &v.root_hash[i]) != 1)
			return -EINVAL;
	*out = v;
	return 0;
}

/* With another salt no hash is the same: nothing is known then. */
static int read_known(struct delta *d, struct err *e)
{
	const struct verity *old = &d->source.running, *new = &d->source.manifest->verity;
	struct verity_levels levels;
	int rc;

	if (old->salt_bytes != new->salt_bytes || memcmp(old->salt, new->salt, new->salt_bytes) != 0 ||
	    verity_layout(old, &levels) < 0)
		return 0;
	d->known = calloc(old->data_blocks, sizeof(*d->known));
	if (!d->known)
		return err_set(e, -ENOMEM, "compare the versions: out of memory");
	for (uint64_t i = 0; i < old->data_blocks; i++) {
		if (i % VERITY_PER_BLOCK == 0) {
			rc = device_read(d->root, d->block, VERITY_BLOCK_BYTES,
					 (levels.start[0] + i / VERITY_PER_BLOCK) * VERITY_BLOCK_BYTES);
			if (rc < 0)
				return err_code(e, rc, "read the running root's hash tree");
		}
		d->known[i].key = key_of((uint8_t *)d->block + i % VERITY_PER_BLOCK * SHA256_SIZE);
		d->known[i].block = (uint32_t)i;
	}
	d->known_count = old->data_blocks;
	qsort(d->known, d->known_count, sizeof(*d->known), by_key);
	return 0;
}

/* ---- parts of the file ---- */

/* Adds bytes of the file to the list; what follows the part before becomes one with it. */
struct parts {
	struct buf list;
	uint64_t first, end; /* the part that is not in the list yet */
	uint64_t total;
};

static void parts_flush(struct parts *p)
{
	if (p->end > p->first)
		buf_addf(&p->list, "%llu %llu\n", (unsigned long long)p->first,
			 (unsigned long long)p->end - 1);
	p->first = p->end = 0;
}

static void parts_add(struct parts *p, uint64_t first, uint64_t len)
{
	p->total += len;
	if (p->end > p->first && p->end == first) {
		p->end += len;
		return;
	}
	parts_flush(p);
	p->first = first;
	p->end = first + len;
}

static bool is_raw(const struct image *image, uint32_t i)
{
	return image->chunks[i].stored_bytes == image_chunk_bytes(image, i);
}

/* ---- the new root's tree ---- */

static const uint32_t blocks_per_chunk = CHUNK_BYTES / VERITY_BLOCK_BYTES;

/* The part of root chunk i that belongs to the tree, in blocks from the image's start. */
static bool tree_part(const struct delta *d, uint32_t i, uint64_t *first, uint64_t *end)
{
	const struct image *root = &d->source.manifest->root;

	*first = (uint64_t)i * blocks_per_chunk;
	*end = *first + image_chunk_bytes(root, i) / VERITY_BLOCK_BYTES;
	if (*first < d->source.manifest->verity.data_blocks)
		*first = d->source.manifest->verity.data_blocks;
	return *first < *end;
}

static void list_tree(struct delta *d, struct parts *parts)
{
	const struct image *root = &d->source.manifest->root;
	uint64_t at = d->source.payload_offset + root->offset, first, end;

	for (uint32_t i = 0; i < root->chunk_count; at += root->chunks[i].stored_bytes, i++) {
		if (!tree_part(d, i, &first, &end))
			continue;
		if (is_raw(root, i))
			parts_add(parts,
				  at + (first - (uint64_t)i * blocks_per_chunk) * VERITY_BLOCK_BYTES,
				  (end - first) * VERITY_BLOCK_BYTES);
		else
			parts_add(parts, at, root->chunks[i].stored_bytes);
	}
	parts_flush(parts);
}

static int read_tree_part(struct delta *d, int fd, uint32_t i, struct err *e)
{
	const struct image *root = &d->source.manifest->root;
	const uint64_t data = d->source.manifest->verity.data_blocks;
	autofree uint8_t *plain = NULL;
	uint64_t first, end;
	int rc;

	if (!tree_part(d, i, &first, &end))
		return 0;
	if (is_raw(root, i))
		return bundle_read_exactly(fd, d->tree + (first - data) * VERITY_BLOCK_BYTES,
					   (end - first) * VERITY_BLOCK_BYTES, e);
	plain = malloc(CHUNK_BYTES);
	if (!plain)
		return err_set(e, -ENOMEM, "read the new root's hash tree: out of memory");
	rc = bundle_read_chunk(fd, root, i, d->stored, plain, e);
	if (!rc)
		memcpy(d->tree + (first - data) * VERITY_BLOCK_BYTES,
		       plain + (first - (uint64_t)i * blocks_per_chunk) * VERITY_BLOCK_BYTES,
		       (end - first) * VERITY_BLOCK_BYTES);
	return rc;
}

static int fetch_tree(struct delta *d, struct err *e)
{
	const struct manifest *m = d->source.manifest;
	struct parts parts = { 0 };
	struct fetch f;
	int ended, rc;

	list_tree(d, &parts);
	d->fetched += parts.total;
	rc = fetch_parts(d->source.url, d->source.way, &parts.list, &f, e);
	buf_free(&parts.list);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < m->root.chunk_count && !rc; i++)
		rc = read_tree_part(d, f.out, i, e);
	/* The download's own reason is better than "ends too early". */
	ended = fetch_end(&f, e);
	if (ended < 0)
		return ended;
	return rc < 0 ? rc : verity_check_tree(&m->verity, &d->levels, d->tree, e);
}

/* ---- the plan ---- */

static void plan_block(struct delta *d, uint64_t block)
{
	struct known wanted, *found;

	if (block >= d->source.manifest->verity.data_blocks) {
		d->origin[block] = ORIGIN_TREE;
		return;
	}
	wanted.key = key_of(new_hash(d, block));
	found = d->known_count ? bsearch(&wanted, d->known, d->known_count, sizeof(wanted), by_key) : NULL;
	d->origin[block] = found ? ORIGIN_COPY : ORIGIN_FETCH;
	d->copy_from[block] = found ? found->block : 0;
}

/* A chunk that is stored as it is is fetched block by block, another one whole. */
static void plan_root(struct delta *d, struct parts *parts)
{
	const struct image *root = &d->source.manifest->root;
	uint64_t at = d->source.payload_offset + root->offset;

	for (uint32_t i = 0; i < root->chunk_count; at += root->chunks[i].stored_bytes, i++) {
		uint32_t count = image_chunk_bytes(root, i) / VERITY_BLOCK_BYTES, missing = 0;
		uint64_t first = (uint64_t)i * blocks_per_chunk;

		for (uint32_t b = 0; b < count; b++) {
			plan_block(d, first + b);
			missing += d->origin[first + b] == ORIGIN_FETCH;
		}
		if (missing && !is_raw(root, i)) {
			memset(d->origin + first, ORIGIN_FETCH, count);
			parts_add(parts, at, root->chunks[i].stored_bytes);
			continue;
		}
		for (uint32_t b = 0; b < count && missing; b++)
			if (d->origin[first + b] == ORIGIN_FETCH)
				parts_add(parts, at + (uint64_t)b * VERITY_BLOCK_BYTES, VERITY_BLOCK_BYTES);
	}
}

static int plan_boot(struct delta *d, struct parts *parts, struct err *e)
{
	const struct image *boot = &d->source.manifest->boot;
	uint64_t at = d->source.payload_offset + boot->offset;

	for (uint32_t i = 0; i < boot->chunk_count; at += boot->chunks[i].stored_bytes, i++) {
		uint8_t digest[SHA256_SIZE];
		struct sha256 s;
		int rc = device_read(d->boot, d->stored, image_chunk_bytes(boot, i),
				     (uint64_t)i * CHUNK_BYTES);

		if (rc < 0)
			return err_code(e, rc, "read the running boot image");
		sha256_init(&s);
		sha256_add(&s, d->stored, image_chunk_bytes(boot, i));
		sha256_end(&s, digest);
		d->boot_is_here[i] = is_raw(boot, i) && !memcmp(digest, boot->chunks[i].sha256, SHA256_SIZE);
		if (!d->boot_is_here[i])
			parts_add(parts, at, boot->chunks[i].stored_bytes);
	}
	return 0;
}

static int fetch_rest(struct delta *d, struct err *e)
{
	struct parts parts = { 0 };
	int rc = plan_boot(d, &parts, e);

	if (!rc) {
		plan_root(d, &parts);
		parts_flush(&parts);
		d->fetched += parts.total;
		rc = buf_ok(&parts.list) ? fetch_parts(d->source.url, d->source.way, &parts.list, &d->fetch, e) :
					   err_set(e, -ENOMEM, "list the parts to fetch: out of memory");
		d->fetching = rc == 0;
	}
	buf_free(&parts.list);
	return rc;
}

/* ---- the life of it ---- */

static int prepare(struct delta *d, struct err *e)
{
	const struct manifest *m = d->source.manifest;
	uint64_t blocks = m->root.bytes / VERITY_BLOCK_BYTES;

	if (verity_layout(&m->verity, &d->levels) < 0)
		return err_set(e, -EBADMSG, "the root's hash tree has an impossible size");
	d->tree = calloc(d->levels.end - m->verity.data_blocks, VERITY_BLOCK_BYTES);
	d->origin = calloc(blocks, sizeof(*d->origin));
	d->copy_from = calloc(blocks, sizeof(*d->copy_from));
	d->boot_is_here = calloc(m->boot.chunk_count, sizeof(*d->boot_is_here));
	d->stored = device_buffer(CHUNK_BYTES);
	d->block = device_buffer(VERITY_BLOCK_BYTES);
	d->ahead = device_buffer(DEVICE_AHEAD_BYTES);
	if (!d->tree || !d->origin || !d->copy_from || !d->boot_is_here || !d->stored || !d->block ||
	    !d->ahead)
		return err_set(e, -ENOMEM, "compare the versions: out of memory");
	d->boot = device_open(d->source.boot, e);
	if (d->boot < 0)
		return d->boot;
	d->root = device_open(d->source.root, e);
	d->reader = (struct device_reader){ .fd = d->root, .held = d->ahead };
	return d->root < 0 ? d->root : device_size(d->root, &d->reader.bytes, e);
}

int delta_open(const struct delta_source *source, struct delta **out, struct err *e)
{
	struct delta *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return err_set(e, -ENOMEM, "compare the versions: out of memory");
	*d = (struct delta){ .source = *source, .boot = -1, .root = -1 };
	rc = prepare(d, e);
	if (!rc)
		rc = fetch_tree(d, e);
	if (!rc)
		rc = read_known(d, e);
	if (!rc)
		rc = fetch_rest(d, e);
	if (rc < 0)
		delta_close(d, NULL, NULL, NULL);
	else
		*out = d;
	return rc;
}

static int root_block(struct delta *d, uint64_t block, void *out, struct err *e)
{
	const struct verity *v = &d->source.manifest->verity;
	uint8_t hash[SHA256_SIZE];
	int rc;

	if (d->origin[block] == ORIGIN_TREE) {
		memcpy(out, d->tree + (block - v->data_blocks) * VERITY_BLOCK_BYTES, VERITY_BLOCK_BYTES);
		return 0;
	}
	if (d->origin[block] == ORIGIN_COPY)
		rc = device_read_block(&d->reader, d->copy_from[block], out);
	else
		rc = bundle_read_exactly(d->fetch.out, out, VERITY_BLOCK_BYTES, e);
	if (rc < 0)
		return d->origin[block] == ORIGIN_COPY ? err_code(e, rc, "read the running root") : rc;
	verity_hash(v, out, hash);
	if (memcmp(hash, new_hash(d, block), sizeof(hash)) != 0)
		return err_set(e, -EBADMSG, "block %llu of the root is not what its hash tree says",
			       (unsigned long long)block);
	return 0;
}

int delta_chunk(void *delta, const struct image *image, uint32_t i, void *out, struct err *e)
{
	struct delta *d = delta;
	uint64_t first = (uint64_t)i * blocks_per_chunk;
	uint32_t count = image_chunk_bytes(image, i) / VERITY_BLOCK_BYTES;
	int rc = 0;

	if (image == &d->source.manifest->boot) {
		if (!d->boot_is_here[i])
			return bundle_read_chunk(d->fetch.out, image, i, d->stored, out, e);
		rc = device_read(d->boot, out, image_chunk_bytes(image, i), (uint64_t)i * CHUNK_BYTES);
		return rc < 0 ? err_code(e, rc, "read the running boot image") : 0;
	}
	if (!is_raw(image, i) && d->origin[first] == ORIGIN_FETCH)
		return bundle_read_chunk(d->fetch.out, image, i, d->stored, out, e);
	for (uint32_t b = 0; b < count && !rc; b++)
		rc = root_block(d, first + b, (char *)out + (size_t)b * VERITY_BLOCK_BYTES, e);
	return rc;
}

int delta_close(struct delta *d, uint64_t *fetched, uint64_t *whole, struct err *e)
{
	const struct manifest *m = d->source.manifest;
	int rc = d->fetching ? fetch_end(&d->fetch, e) : 0;

	if (fetched)
		*fetched = d->fetched;
	if (whole)
		*whole = m->boot.stored_bytes + m->root.stored_bytes;
	if (d->boot >= 0)
		close(d->boot);
	if (d->root >= 0)
		close(d->root);
	free(d->tree);
	free(d->known);
	free(d->origin);
	free(d->copy_from);
	free(d->boot_is_here);
	free(d->stored);
	free(d->block);
	free(d->ahead);
	free(d);
	return rc;
}
