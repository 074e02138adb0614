#include "update/bundle.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "base/cleanup.h"
#include "base/jail.h"

enum { FORMAT_NUMBER = 1, UNPACK_MS = 60000 };

static const char magic[8] = { 'b', 'e', 'r', 't', 'h', 'u', 'p', 'd' };

struct wire_head {
	char magic[8];
	uint32_t format, manifest_bytes, signature_bytes;
	uint32_t reserved[3];
};

_Static_assert(sizeof(struct wire_head) == BUNDLE_HEAD_BYTES, "its size is the format's");

int bundle_head_parse(const void *bytes, struct bundle_head *out, struct err *e)
{
	struct wire_head w;
	struct bundle_head h;

	memcpy(&w, bytes, sizeof(w));
	if (memcmp(w.magic, magic, sizeof(magic)) != 0)
		return err_set(e, -EBADMSG, "this is not an update bundle of Berth");
	if (le32toh(w.format) != FORMAT_NUMBER)
		return err_set(e, -EPROTONOSUPPORT, "the bundle's format is %u, this version reads %d",
			       le32toh(w.format), FORMAT_NUMBER);
	h.manifest_bytes = le32toh(w.manifest_bytes);
	h.signature_bytes = le32toh(w.signature_bytes);
	if (!h.manifest_bytes || h.manifest_bytes > MANIFEST_BYTES_MAX || !h.signature_bytes ||
	    h.signature_bytes > SIGNATURE_TEXT_MAX)
		return err_set(e, -EBADMSG, "the bundle's head names impossible sizes");
	*out = h;
	return 0;
}

uint64_t bundle_payload_offset(const struct bundle_head *h)
{
	uint64_t end = BUNDLE_HEAD_BYTES + (uint64_t)h->manifest_bytes + h->signature_bytes;

	return (end + BUNDLE_ALIGN - 1) / BUNDLE_ALIGN * BUNDLE_ALIGN;
}

int bundle_open_texts(const void *manifest, size_t manifest_len, const void *signature,
		      size_t signature_len, const struct keyring *keys, struct manifest *out,
		      char comment[SIGNATURE_COMMENT_MAX], struct err *e)
{
	struct signature s;
	int rc = signature_parse(signature, signature_len, &s, e);

	if (!rc)
		rc = signature_check(&s, keys, manifest, manifest_len, e);
	if (rc < 0)
		return rc;
	if (comment)
		memcpy(comment, s.comment, sizeof(s.comment));
	return manifest_parse(manifest, manifest_len, out, e);
}

int bundle_read_exactly(int fd, void *data, size_t len, struct err *e)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read the bundle");
		if (n == 0)
			return err_set(e, -ENODATA, "the bundle ends too early");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int bundle_read_start(int fd, const struct keyring *keys, struct manifest *out,
		      char comment[SIGNATURE_COMMENT_MAX], struct err *e)
{
	unsigned char head[BUNDLE_HEAD_BYTES];
	autofree unsigned char *texts = NULL;
	struct bundle_head h;
	size_t len;
	int rc = bundle_read_exactly(fd, head, sizeof(head), e);

	if (!rc)
		rc = bundle_head_parse(head, &h, e);
	if (rc < 0)
		return rc;
	len = (size_t)bundle_payload_offset(&h) - BUNDLE_HEAD_BYTES;
	texts = malloc(len);
	if (!texts)
		return err_set(e, -ENOMEM, "read the manifest: out of memory");
	rc = bundle_read_exactly(fd, texts, len, e);
	if (rc < 0)
		return rc;
	return bundle_open_texts(texts, h.manifest_bytes, texts + h.manifest_bytes, h.signature_bytes,
				 keys, out, comment, e);
}

struct packed {
	const void *stored;
	size_t stored_bytes, bytes;
};

/* In the jail. The output cannot be larger than what the manifest says: the rest is an error. */
static int unpack(void *arg, struct buf *out, struct err *e)
{
	const struct packed *p = arg;
	autofree void *plain = malloc(p->bytes);
	size_t n;

	if (!plain)
		return err_set(e, -ENOMEM, "unpack the bundle: out of memory");
	n = ZSTD_decompress(plain, p->bytes, p->stored, p->stored_bytes);
	if (ZSTD_isError(n) || n != p->bytes)
		return err_set(e, -EBADMSG, "a chunk of the bundle does not unpack to its size");
	buf_add(out, plain, n);
	return 0;
}

int bundle_unpack_chunk(const struct image *image, uint32_t i, const void *stored, void *out,
			struct err *e)
{
	struct packed p = { stored, image->chunks[i].stored_bytes, image_chunk_bytes(image, i) };
	const struct jail_task task = {
		.jail = JAIL_PARSE, .fn = unpack, .arg = &p, .max_bytes = p.bytes, .timeout_ms = UNPACK_MS,
	};
	autobuf struct buf plain = { 0 };
	struct sha256 s;
	uint8_t digest[SHA256_SIZE];
	int rc;

	sha256_init(&s);
	sha256_add(&s, stored, p.stored_bytes);
	sha256_end(&s, digest);
	if (memcmp(digest, image->chunks[i].sha256, sizeof(digest)) != 0)
		return err_set(e, -EBADMSG, "chunk %u of the bundle is not what its manifest says", i);
	if (p.stored_bytes == p.bytes) {
		memcpy(out, stored, p.bytes);
		return 0;
	}
	rc = jail_run(&task, &plain, e);
	if (rc == 0 && plain.len != p.bytes)
		rc = err_set(e, -EBADMSG, "a chunk of the bundle does not unpack to its size");
	if (rc == 0)
		memcpy(out, plain.data, p.bytes);
	return rc;
}

int bundle_read_chunk(int fd, const struct image *image, uint32_t i, void *stored, void *out,
		      struct err *e)
{
	int rc = bundle_read_exactly(fd, stored, image->chunks[i].stored_bytes, e);

	return rc < 0 ? rc : bundle_unpack_chunk(image, i, stored, out, e);
}
