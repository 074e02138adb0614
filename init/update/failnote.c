#include "update/failnote.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sha256.h"
#include "update/device.h"

struct note {
	char magic[16];
	uint32_t text_bytes; /* little endian */
	unsigned char sum[SHA256_SIZE];
	char text[FAILNOTE_TEXT_MAX];
};

_Static_assert(sizeof(struct note) == FAILNOTE_BYTES, "a note is one block");

static const char magic[16] = "berth-note-1";

static void add_up(const char *text, size_t len, unsigned char out[SHA256_SIZE])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, text, len);
	sha256_end(&s, out);
}

static int put(int fd, const struct note *n, struct err *e)
{
	int rc = device_write(fd, n, sizeof(*n), FAILNOTE_OFFSET);

	if (!rc)
		rc = device_flush(fd);
	return rc < 0 ? err_code(e, rc, "write the state partition") : 0;
}

int failnote_write(int fd, const char *text, size_t len, struct err *e)
{
	autofree struct note *n = device_buffer(sizeof(*n));

	if (len > FAILNOTE_TEXT_MAX)
		return err_set(e, -E2BIG, "a note of %zu bytes is too long, %d are the most", len,
			       FAILNOTE_TEXT_MAX);
	if (!n)
		return err_set(e, -ENOMEM, "write a note: out of memory");
	memset(n, 0, sizeof(*n));
	memcpy(n->magic, magic, sizeof(magic));
	n->text_bytes = htole32((uint32_t)len);
	memcpy(n->text, text, len);
	add_up(text, len, n->sum);
	return put(fd, n, e);
}

int failnote_read(int fd, struct buf *out, struct err *e)
{
	autofree struct note *n = device_buffer(sizeof(*n));
	unsigned char sum[SHA256_SIZE];
	uint32_t len;
	int rc;

	if (!n)
		return err_set(e, -ENOMEM, "read the note: out of memory");
	rc = device_read(fd, n, sizeof(*n), FAILNOTE_OFFSET);
	if (rc < 0)
		return err_code(e, rc, "read the state partition");
	len = le32toh(n->text_bytes);
	if (memcmp(n->magic, magic, sizeof(magic)) != 0 || len > FAILNOTE_TEXT_MAX)
		return err_set(e, -ENOENT, "no version left a note");
	add_up(n->text, len, sum);
	if (memcmp(n->sum, sum, sizeof(sum)) != 0)
		return err_set(e, -ENOENT, "the note that a version left is damaged");
	buf_add(out, n->text, len);
	return buf_ok(out) ? 0 : err_set(e, -ENOMEM, "read the note: out of memory");
}

int failnote_clear(int fd, struct err *e)
{
	autofree struct note *n = device_buffer(sizeof(*n));
	int rc;

	if (!n)
		return err_set(e, -ENOMEM, "clear the note: out of memory");
	rc = device_read(fd, n, sizeof(*n), FAILNOTE_OFFSET);
	if (rc < 0)
		return err_code(e, rc, "read the state partition");
	if (memcmp(n->magic, magic, sizeof(magic)) != 0)
		return 0;
	memset(n, 0, sizeof(*n));
	return put(fd, n, e);
}
