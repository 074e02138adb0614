/* Blobs as streams: each compression, in pieces, cut at every byte, and bombs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/sha256.h"
#include "unpack/stream.h"

enum { TEXT_BYTES = 700000, ROOM = 2 * TEXT_BYTES };

static unsigned char text[TEXT_BYTES], packed[ROOM];

static size_t pack_plain(const unsigned char *from, size_t len, unsigned char *to)
{
	memcpy(to, from, len);
	return len;
}

static size_t pack_gzip(const unsigned char *from, size_t len, unsigned char *to)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)from, .avail_in = (uInt)len,
		       .next_out = to, .avail_out = ROOM };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static size_t pack_zstd(const unsigned char *from, size_t len, unsigned char *to)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	size_t n;

	/* Without a check value damage may only show in the digest. */
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(z, to, ROOM, from, len);
	ZSTD_freeCCtx(z);
	return n;
}

/* As pigz and zstd -T write large files: several members in one stream. */
static size_t pack_members(size_t (*pack)(const unsigned char *, size_t, unsigned char *),
			   const unsigned char *from, size_t len, unsigned char *to)
{
	size_t used = 0;

	for (size_t at = 0; at < len; at += 300000) {
		size_t n = len - at < 300000 ? len - at : 300000;

		used += pack(from + at, n, to + used);
	}
	return used;
}

static size_t pack_gzips(const unsigned char *from, size_t len, unsigned char *to)
{
	return pack_members(pack_gzip, from, len, to);
}

static size_t pack_zstds(const unsigned char *from, size_t len, unsigned char *to)
{
	return pack_members(pack_zstd, from, len, to);
}

static size_t (*const packers[])(const unsigned char *, size_t, unsigned char *) = {
	pack_plain, pack_gzip, pack_zstd, pack_gzips, pack_zstds,
};

static int file_of(const unsigned char *data, size_t len)
{
	int fd = memfd_create("blob", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, data, len), 0);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* 0 and the sums, or the stream's error. */
static int read_all(int fd, uint64_t max_bytes, struct stream_sums *sums, struct err *e)
{
	struct stream *s;
	const void *data;
	ssize_t n;
	int rc = stream_open(&s, fd, max_bytes, e);

	if (rc < 0)
		return rc;
	do
		n = stream_read(s, &data, e);
	while (n > 0);
	rc = n < 0 ? (int)n : stream_finish(s, sums, e);
	stream_close(s);
	return rc;
}

static int setup(void **state)
{
	unsigned int x = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		x = x * 1103515245 + 12345;
		text[i] = (unsigned char)("0123456789abcdef\n"[x >> 28] + (x >> 27 & 1));
	}
	return 0;
}

static void sums_both_sides(void **state)
{
	char hex[SHA256_HEX_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
		size_t len = packers[i](text, sizeof(text), packed);
		autoclose int fd = file_of(packed, len);
		struct stream_sums sums;
		struct err e = { 0 };

		if (read_all(fd, sizeof(text), &sums, &e) < 0)
			fail_msg("row %zu: %s", i, e.text);
		assert_int_equal(sums.unpacked_bytes, sizeof(text));
		assert_int_equal(sums.blob_bytes, len);
		assert_string_equal(digest_hex(sums.diff_id), sha256_hex(text, sizeof(text), hex));
		assert_string_equal(digest_hex(sums.blob), sha256_hex(packed, len, hex));
	}
}

static void a_cut_blob_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 1; i < 3; i++) {
		size_t len = packers[i](text, 3000, packed);

		for (size_t cut = 4; cut < len; cut++) {
			autoclose int fd = file_of(packed, cut);
			struct stream_sums sums;
			struct err e = { 0 };

			if (read_all(fd, sizeof(text), &sums, &e) == 0)
				fail_msg("row %zu cut at %zu was read", i, cut);
			assert_non_null(strstr(e.text, "ends in the middle"));
		}
	}
}

static void damage_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 1; i < 3; i++) {
		size_t len = packers[i](text, sizeof(text), packed);
		autoclose int fd = -1;
		struct stream_sums sums;
		struct err e = { 0 };

		memset(packed + len / 2, 0xff, 64);
		fd = file_of(packed, len);
		assert_true(read_all(fd, sizeof(text), &sums, &e) < 0);
		assert_non_null(strstr(e.text, "is damaged near byte"));
	}
}

static void bombs_are_stopped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
		size_t len = packers[i](text, sizeof(text), packed);
		autoclose int fd = file_of(packed, len);
		struct stream_sums sums;
		struct err e = { 0 };

		assert_int_equal(read_all(fd, sizeof(text) - 1, &sums, &e), -EFBIG);
	}
}

static void nothing_is_nothing(void **state)
{
	autoclose int fd = file_of(text, 0);
	struct stream_sums sums;

	(void)state;
	assert_int_equal(read_all(fd, 1, &sums, NULL), 0);
	assert_int_equal(sums.unpacked_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_both_sides),
		cmocka_unit_test(a_cut_blob_is_an_error),
		cmocka_unit_test(damage_is_an_error),
		cmocka_unit_test(bombs_are_stopped),
		cmocka_unit_test(nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
