#include "unpack/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/sha256.h"
#include "image/keep.h"

int blobs_open(const struct blobs *b, const char *digest)
{
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < b->count; i++) {
		autoclose int dir = open(b->dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		fd = dir < 0 ? -1 : keep_blob(dir, digest);
	}
	return fd < 0 ? -1 : fd;
}

int blobs_read(const struct blobs *b, const char *digest, size_t max, struct buf *out,
	       struct err *e)
{
	autoclose int fd = blobs_open(b, digest);
	char sum[SHA256_HEX_MAX];
	int rc;

	if (fd < 0)
		return err_set(e, -ENOENT, "blob %s is in no image store", digest);
	rc = file_read_fd(fd, max, out, e);
	if (!rc && strcmp(sha256_hex(buf_text(out), out->len, sum), digest_hex(digest)) != 0)
		rc = err_set(e, -EBADMSG, "blob %s is damaged", digest);
	return rc;
}

int blobs_open_layer(const struct blobs *b, const char *diff_id)
{
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < b->count; i++) {
		autoclose int dir = open(b->dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		char path[128];

		snprintf(path, sizeof(path), "layers/%s", digest_hex(diff_id));
		fd = dir < 0 ? -1 : openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd;
}
