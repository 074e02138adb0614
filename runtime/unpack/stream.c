#include "unpack/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/sha256.h"

enum { PIECE_BYTES = 256 * 1024 };

struct stream {
	int fd;
	int (*step)(struct stream *s, struct err *e); /* fills out_len; 0 at the end of the blob */
	uint64_t max_bytes;
	struct stream_sums sums;
	struct sha256 blob, diff_id;
	z_stream gzip;
	ZSTD_DStream *zstd;
	size_t in_pos, in_len; /* what of `in` is not used yet */
	size_t out_len;
	bool again;
	bool eof, open_member; /* open_member: a compressed member has begun and not ended */
	unsigned char in[PIECE_BYTES], out[PIECE_BYTES];
};

void stream_close(struct stream *s)
{
	if (!s)
		return;
	inflateEnd(&s->gzip);
	ZSTD_freeDStream(s->zstd);
	free(s);
}

/* More input if none is left. 0 or -errno; s->eof when there is none any more. */
static int fill(struct stream *s, struct err *e)
{
	ssize_t n;

	if (s->in_pos < s->in_len || s->eof)
		return 0;
	do
		n = read(s->fd, s->in, sizeof(s->in));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read the layer");
	s->in_pos = 0;
	s->in_len = (size_t)n;
	s->eof = n == 0;
	if (!s->again)
		sha256_add(&s->blob, s->in, s->in_len);
	s->sums.blob_bytes += s->in_len;
	return 0;
}

static int step_plain(struct stream *s, struct err *e)
{
	int rc = fill(s, e);

	if (rc < 0)
		return rc;
	s->out_len = s->in_len - s->in_pos;
	memcpy(s->out, s->in + s->in_pos, s->out_len);
	s->in_pos = s->in_len;
	return 0;
}

static int cut_short(struct stream *s, const char *kind, struct err *e)
{
	return err_set(e, -EBADMSG, "the %s data ends in the middle, after %llu bytes", kind,
		       (unsigned long long)s->sums.blob_bytes);
}

static int step_gzip(struct stream *s, struct err *e)
{
	s->out_len = 0;
	while (s->out_len < sizeof(s->out)) {
		int rc = fill(s, e);

		if (rc < 0)
			return rc;
		if (s->eof)
			return s->open_member ? cut_short(s, "gzip", e) : 0;
		if (!s->open_member && inflateReset(&s->gzip) != Z_OK)
			return err_set(e, -EINVAL, "gzip: cannot start again");
		s->open_member = true;
		s->gzip.next_in = s->in + s->in_pos;
		s->gzip.avail_in = (uInt)(s->in_len - s->in_pos);
		s->gzip.next_out = s->out + s->out_len;
		s->gzip.avail_out = (uInt)(sizeof(s->out) - s->out_len);
		rc = inflate(&s->gzip, Z_NO_FLUSH);
		s->in_pos = s->in_len - s->gzip.avail_in;
		s->out_len = sizeof(s->out) - s->gzip.avail_out;
		if (rc == Z_STREAM_END)
			s->open_member = false;
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return err_set(e, -EBADMSG, "the gzip data is damaged near byte %llu: %s",
				       (unsigned long long)s->sums.blob_bytes,
				       s->gzip.msg ? s->gzip.msg : "bad data");
	}
	return 0;
}

static int step_zstd(struct stream *s, struct err *e)
{
	ZSTD_outBuffer out = { s->out, sizeof(s->out), 0 };

	while (out.pos < out.size) {
		ZSTD_inBuffer in;
		size_t left;
		int rc = fill(s, e);

		if (rc < 0)
			return rc;
		if (s->eof && s->open_member)
			return cut_short(s, "zstd", e);
		if (s->eof)
			break;
		in = (ZSTD_inBuffer){ s->in, s->in_len, s->in_pos };
		left = ZSTD_decompressStream(s->zstd, &out, &in);
		if (ZSTD_isError(left))
			return err_set(e, -EBADMSG, "the zstd data is damaged near byte %llu: %s",
				       (unsigned long long)s->sums.blob_bytes, ZSTD_getErrorName(left));
		s->in_pos = in.pos;
		s->open_member = left != 0;
	}
	s->out_len = out.pos;
	return 0;
}

static int choose(struct stream *s, struct err *e)
{
	static const unsigned char gzip_magic[] = { 0x1f, 0x8b };
	static const unsigned char zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
	int rc = fill(s, e);

	if (rc < 0)
		return rc;
	s->step = step_plain;
	if (s->in_len >= sizeof(gzip_magic) && !memcmp(s->in, gzip_magic, sizeof(gzip_magic))) {
		s->step = step_gzip;
		if (inflateInit2(&s->gzip, 15 + 16) != Z_OK) /* 16: with gzip's header */
			return err_set(e, -ENOMEM, "gzip: out of memory");
	} else if (s->in_len >= sizeof(zstd_magic) && !memcmp(s->in, zstd_magic, sizeof(zstd_magic))) {
		s->step = step_zstd;
		s->zstd = ZSTD_createDStream();
		if (!s->zstd)
			return err_set(e, -ENOMEM, "zstd: out of memory");
	}
	return 0;
}

int stream_open(struct stream **out, int fd, uint64_t max_bytes, struct err *e)
{
	struct stream *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return err_set(e, -ENOMEM, "out of memory");
	s->fd = fd;
	s->max_bytes = max_bytes;
	sha256_init(&s->blob);
	sha256_init(&s->diff_id);
	rc = choose(s, e);
	if (rc < 0) {
		stream_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void stream_again(struct stream *s)
{
	s->again = true;
}

ssize_t stream_read(struct stream *s, const void **data, struct err *e)
{
	int rc = s->step(s, e);

	if (rc < 0)
		return rc;
	sha256_add(&s->diff_id, s->out, s->out_len);
	s->sums.unpacked_bytes += s->out_len;
	if (s->sums.unpacked_bytes > s->max_bytes)
		return err_set(e, -EFBIG, "unpacks to more than %llu bytes",
			       (unsigned long long)s->max_bytes);
	*data = s->out;
	return (ssize_t)s->out_len;
}

int stream_finish(struct stream *s, struct stream_sums *out, struct err *e)
{
	char hex[SHA256_HEX_MAX];
	const void *rest;
	ssize_t n;

	do
		n = stream_read(s, &rest, e);
	while (n > 0);
	if (n < 0)
		return (int)n;
	if (!s->again)
		snprintf(s->sums.blob, sizeof(s->sums.blob), "sha256:%s",
			 sha256_end_hex(&s->blob, hex));
	snprintf(s->sums.diff_id, sizeof(s->sums.diff_id), "sha256:%s",
		 sha256_end_hex(&s->diff_id, hex));
	*out = s->sums;
	return 0;
}

int stream_blob_digest(int fd, char out[REF_DIGEST_MAX])
{
	unsigned char piece[16384];
	char hex[SHA256_HEX_MAX];
	struct sha256 sum;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	sha256_init(&sum);
	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		sha256_add(&sum, piece, (size_t)n);
	}
	snprintf(out, REF_DIGEST_MAX, "sha256:%s", sha256_end_hex(&sum, hex));
	return 0;
}
