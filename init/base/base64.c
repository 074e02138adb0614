#include "base/base64.h"

#include <errno.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(char c)
{
	const char *at;

	if (c == '-')
		c = '+';
	if (c == '_')
		c = '/';
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

int base64_decode(const char *text, size_t len, unsigned char *out, size_t room,
		  size_t *out_len)
{
	unsigned bits = 0, digits = 0, padding = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int value;

		if (strchr(" \t\r\n", text[i]) && text[i])
			continue;
		if (text[i] == '=') {
			padding++;
			continue;
		}
		value = digit(text[i]);
		if (value < 0 || padding)
			return -EINVAL;
		bits = bits << 6 | (unsigned)value;
		if (digits++ % 4 == 0)
			continue;
		if (n == room)
			return -EFBIG;
		out[n++] = (unsigned char)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	if (digits % 4 == 1 || padding > 2 || (padding && (digits + padding) % 4))
		return -EINVAL;
	*out_len = n;
	return 0;
}

void base64_encode(const void *data, size_t len, struct buf *out)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		unsigned bits = (unsigned)bytes[i] << 16 |
				(left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
				(left > 2 ? bytes[i + 2] : 0);

		buf_addc(out, alphabet[bits >> 18]);
		buf_addc(out, alphabet[bits >> 12 & 63]);
		buf_addc(out, left > 1 ? alphabet[bits >> 6 & 63] : '=');
		buf_addc(out, left > 2 ? alphabet[bits & 63] : '=');
	}
}
