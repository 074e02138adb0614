#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

static bool reserve(struct buf *b, size_t more)
{
	size_t need, room;
	char *grown;

	if (b->failed || __builtin_add_overflow(b->len, more, &need) || need >= SIZE_MAX / 2) {
		b->failed = true;
		return false;
	}
	need += 1;
	if (need <= b->room)
		return true;
	room = b->room ? b->room : 64;
	while (room < need)
		room *= 2;
	grown = realloc(b->data, room);
	if (!grown) {
		b->failed = true;
		return false;
	}
	b->data = grown;
	b->room = room;
	return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		b->failed = true;
	else if (reserve(b, (size_t)len)) {
		vsnprintf(b->data + b->len, (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
}

/* Length of the well-formed UTF-8 sequence at `s` (RFC 3629, section 4), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (n > len || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void add_json_ascii(struct buf *b, char c)
{
	static const char escapes[][2] = {
		{ '"', '"' }, { '\\', '\\' }, { '\b', 'b' }, { '\f', 'f' },
		{ '\n', 'n' }, { '\r', 'r' }, { '\t', 't' },
	};

	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		if (escapes[i][0] == c) {
			buf_addc(b, '\\');
			buf_addc(b, escapes[i][1]);
			return;
		}
	}
	if ((unsigned char)c < 0x20 || c == 0x7f)
		buf_addf(b, "\\u%04x", (unsigned int)c);
	else
		buf_addc(b, c);
}

void buf_add_utf8(struct buf *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence((const unsigned char *)text + i, len - i);

		if (n)
			buf_add(b, text + i, n);
		else
			buf_adds(b, "\xef\xbf\xbd");
		i += n ? n : 1;
	}
}

/* Good JSON as it stands, but not in YAML, and no terminal should be sent it: C1 controls, the byte
 * order mark, what is no character. `s` is one sequence of `n` bytes. */
static bool add_json_escaped(struct buf *b, const unsigned char *s, size_t n)
{
	unsigned int c = n == 2 ? (s[0] & 0x1fU) << 6 | (s[1] & 0x3f) :
		n == 3 ? (s[0] & 0xfU) << 12 | (s[1] & 0x3fU) << 6 | (s[2] & 0x3f) : 0;

	if (!(c >= 0x80 && c < 0xa0) && c != 0xfeff && c != 0xfffe && c != 0xffff)
		return false;
	buf_addf(b, "\\u%04x", c);
	return true;
}

void buf_add_json_string(struct buf *b, const char *text, size_t len)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence((const unsigned char *)text + i, len - i);

		if (n == 1)
			add_json_ascii(b, text[i]);
		else if (!n)
			buf_adds(b, "\\ufffd");
		else if (!add_json_escaped(b, (const unsigned char *)text + i, n))
			buf_add(b, text + i, n);
		i += n ? n : 1;
	}
	buf_addc(b, '"');
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
	} else {
		memmove(b->data, b->data + n, b->len - n);
		b->len -= n;
	}
	if (b->data)
		b->data[b->len] = '\0';
}

char *buf_take(struct buf *b)
{
	char *taken;

	if (!b->data)
		reserve(b, 0);
	if (b->failed) {
		buf_free(b);
		return NULL;
	}
	b->data[b->len] = '\0';
	taken = b->data;
	*b = (struct buf){ 0 };
	return taken;
}
