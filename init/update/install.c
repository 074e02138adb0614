#include "update/install.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "update/device.h"

struct job {
	const struct install *in;
	int boot, root;           /* fds */
	char *chunk;              /* CHUNK_BYTES, aligned */
	char *first;              /* the boot image's first block, held back */
	uint64_t done;
};

static void tell(struct job *j, const char *doing, uint64_t bytes)
{
	const struct manifest *m = j->in->manifest;
	struct install_progress p = { doing, j->done += bytes, m->boot.bytes + m->root.bytes };

	if (j->in->progress)
		j->in->progress(j->in->progress_arg, &p);
}

static int fits(const char *device, const char *what, uint64_t bytes, struct err *e)
{
	autoclose int fd = device_open(device, e);
	uint64_t room;
	int rc = fd < 0 ? fd : device_size(fd, &room, e);

	if (rc < 0)
		return rc;
	if (bytes > room)
		return err_set(e, -ENOSPC, "the bundle's %s image has %llu MiB, the disk's partition %llu MiB",
			       what, (unsigned long long)(bytes >> 20), (unsigned long long)(room >> 20));
	return 0;
}

int install_check_room(const struct install *in, struct err *e)
{
	int rc = fits(in->boot, "boot", in->manifest->boot.bytes, e);

	return rc < 0 ? rc : fits(in->root, "root", in->manifest->root.bytes, e);
}

static int open_job(struct job *j, struct err *e)
{
	j->chunk = device_buffer(CHUNK_BYTES);
	j->first = device_buffer(DEVICE_BLOCK_BYTES);
	if (!j->chunk || !j->first)
		return err_set(e, -ENOMEM, "write the slot: out of memory");
	j->boot = device_open(j->in->boot, e);
	if (j->boot < 0)
		return j->boot;
	j->root = device_open(j->in->root, e);
	return j->root < 0 ? j->root : 0;
}

static void close_job(struct job *j)
{
	free(j->chunk);
	free(j->first);
	if (j->boot >= 0)
		close(j->boot);
	if (j->root >= 0)
		close(j->root);
}

/* Step 1 and 4. */
static int write_first(struct job *j, const char *block, struct err *e)
{
	int rc = device_write(j->boot, block, DEVICE_BLOCK_BYTES, 0);

	if (!rc)
		rc = device_flush(j->boot);
	return rc < 0 ? err_code(e, rc, "write %s", j->in->boot) : 0;
}

static int write_image(struct job *j, int fd, const char *device, const struct image *image,
		       struct err *e)
{
	unsigned char digest[SHA256_SIZE];
	struct sha256 sum;
	int rc;

	sha256_init(&sum);
	for (uint32_t i = 0; i < image->chunk_count; i++) {
		uint32_t len = image_chunk_bytes(image, i);

		rc = j->in->chunk(j->in->chunk_arg, image, i, j->chunk, e);
		if (rc < 0)
			return rc;
		sha256_add(&sum, j->chunk, len);
		if (fd == j->boot && i == 0) {
			memcpy(j->first, j->chunk, DEVICE_BLOCK_BYTES);
			memset(j->chunk, 0, DEVICE_BLOCK_BYTES);
		}
		rc = device_write(fd, j->chunk, len, (uint64_t)i * CHUNK_BYTES);
		if (rc < 0)
			return err_code(e, rc, "write %s", device);
		tell(j, "writing", len);
	}
	sha256_end(&sum, digest);
	if (memcmp(digest, image->sha256, sizeof(digest)) != 0)
		return err_set(e, -EBADMSG, "the bundle's images are not those that its manifest names");
	rc = device_flush(fd);
	return rc < 0 ? err_code(e, rc, "write %s", device) : 0;
}

/* `held`: the first block is not on the disk yet, it is here. */
static int verify_boot(struct job *j, const char *held, struct err *e)
{
	const struct image *image = &j->in->manifest->boot;
	unsigned char digest[SHA256_SIZE];
	struct sha256 sum;

	sha256_init(&sum);
	for (uint32_t i = 0; i < image->chunk_count; i++) {
		uint32_t len = image_chunk_bytes(image, i);
		int rc = device_read(j->boot, j->chunk, len, (uint64_t)i * CHUNK_BYTES);

		if (rc < 0)
			return err_code(e, rc, "read %s", j->in->boot);
		if (held && i == 0)
			memcpy(j->chunk, held, DEVICE_BLOCK_BYTES);
		sha256_add(&sum, j->chunk, len);
		tell(j, "verifying", len);
	}
	sha256_end(&sum, digest);
	if (memcmp(digest, image->sha256, sizeof(digest)) != 0)
		return err_set(e, -EIO, "%s does not hold what was written", j->in->boot);
	return 0;
}

struct told_reader {
	struct device_reader reader;
	struct job *job;
};

static int read_and_tell(void *arg, uint64_t block, void *data)
{
	struct told_reader *t = arg;
	uint64_t before = t->reader.at + t->reader.len;
	int rc = device_read_block(&t->reader, block, data);
	uint64_t after = t->reader.at + t->reader.len;

	if (rc == 0 && after > before && block < t->job->in->manifest->verity.data_blocks)
		tell(t->job, "verifying", after - before);
	return rc;
}

static int verify_root(struct job *j, struct err *e)
{
	const struct manifest *m = j->in->manifest;
	struct told_reader t = { .reader = { .fd = j->root, .bytes = m->root.bytes }, .job = j };
	int rc;

	t.reader.held = device_buffer(DEVICE_AHEAD_BYTES);
	if (!t.reader.held)
		return err_set(e, -ENOMEM, "verify the slot: out of memory");
	rc = verity_check(&m->verity, read_and_tell, &t, e);
	free(t.reader.held);
	if (rc < 0)
		err_prefix(e, "%s", j->in->root);
	else /* the hash tree, and what was read once more on the way */
		tell(j, "verifying", m->boot.bytes + m->root.bytes - j->done);
	return rc;
}

static int write_all(struct job *j, struct err *e)
{
	const struct manifest *m = j->in->manifest;
	int rc;

	memset(j->first, 0, DEVICE_BLOCK_BYTES);
	rc = write_first(j, j->first, e);
	if (!rc)
		rc = write_image(j, j->boot, j->in->boot, &m->boot, e);
	if (!rc)
		rc = write_image(j, j->root, j->in->root, &m->root, e);
	j->done = 0;
	if (!rc)
		rc = verify_boot(j, j->first, e);
	if (!rc)
		rc = verify_root(j, e);
	if (!rc)
		rc = write_first(j, j->first, e);
	if (rc)
		return rc;
	memset(j->chunk, 0, DEVICE_BLOCK_BYTES);
	rc = device_read(j->boot, j->chunk, DEVICE_BLOCK_BYTES, 0);
	if (rc == 0 && memcmp(j->chunk, j->first, DEVICE_BLOCK_BYTES) != 0)
		rc = -EIO;
	return rc < 0 ? err_code(e, rc, "read %s back", j->in->boot) : 0;
}

int install_write(const struct install *in, struct err *e)
{
	struct job j = { .in = in, .boot = -1, .root = -1 };
	int rc = open_job(&j, e);

	if (!rc)
		rc = write_all(&j, e);
	close_job(&j);
	return rc;
}

int install_verify(const struct install *in, struct err *e)
{
	struct job j = { .in = in, .boot = -1, .root = -1 };
	int rc = open_job(&j, e);

	if (!rc)
		rc = verify_boot(&j, NULL, e);
	if (!rc)
		rc = verify_root(&j, e);
	close_job(&j);
	return rc;
}
