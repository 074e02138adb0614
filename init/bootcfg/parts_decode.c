/* Base64 and gzip (RFC 1952) around a text. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/base64.h"
#include "bootcfg/config.h"
#include "bootcfg/parts.h"

enum { GZIP_WINDOW = 15 + 16, CHUNK = 16384, BASE64_LEAST = 16 };

static bool is_gzip(const char *data, size_t len)
{
	return len > 2 && memcmp(data, "\x1f\x8b", 2) == 0;
}

static int inflate_all(z_stream *z, struct buf *out, struct err *e)
{
	unsigned char chunk[CHUNK];
	int code = Z_OK;

	while (code == Z_OK) {
		z->next_out = chunk;
		z->avail_out = sizeof(chunk);
		code = inflate(z, Z_NO_FLUSH);
		buf_add(out, chunk, sizeof(chunk) - z->avail_out);
		if (out->len > CONFIG_TEXT_MAX)
			return err_set(e, -EFBIG, "unpacked it is larger than %d bytes", CONFIG_TEXT_MAX);
	}
	return code == Z_STREAM_END ? 0 : err_set(e, -EBADMSG, "it is damaged gzip");
}

int parts_gunzip(const char *data, size_t len, struct buf *out, struct err *e)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)data, .avail_in = (unsigned)len };
	int code;

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return err_set(e, -ENOMEM, "there is not enough memory");
	code = inflate_all(&z, out, e);
	inflateEnd(&z);
	return code;
}

/* As some providers want binary data to be given. A configuration is no base64 by chance: it begins
 * with a line that has a "#" or a ":" in it. */
static bool unbase64(const char *data, size_t len, struct buf *out)
{
	static const char *const starts[] = { "#", "\x1f\x8b", "Content-Type:", "MIME-Version:",
					      "From " };
	autofree unsigned char *plain = NULL;
	size_t plain_len;

	if (len < BASE64_LEAST || memchr(data, ':', len) || memchr(data, '#', len))
		return false;
	plain = malloc(len + 1);
	if (!plain || base64_decode(data, len, plain, len, &plain_len) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		size_t n = strlen(starts[i]);

		if (plain_len < n || memcmp(plain, starts[i], n) != 0)
			continue;
		buf_add(out, plain, plain_len);
		return true;
	}
	return false;
}

int parts_decode(const char *data, size_t len, struct buf *out, struct err *e)
{
	autobuf struct buf plain = { 0 };

	if (unbase64(data, len, &plain)) {
		data = plain.data;
		len = plain.len;
	}
	if (is_gzip(data, len))
		return parts_gunzip(data, len, out, e);
	buf_add(out, data, len);
	return 0;
}
