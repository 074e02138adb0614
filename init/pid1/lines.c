#include "pid1/lines.h"

#include <string.h>

#include "base/cleanup.h"

void lines_feed(struct lines *l, const char *data, size_t len, lines_fn *each, void *arg)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n')
			l->part[l->len++] = data[i];
		if (data[i] == '\n' || l->len == sizeof(l->part)) {
			each(l->part, l->len, arg);
			l->len = 0;
		}
	}
}

bool line_is_loud(const char *line, size_t len)
{
	static const char *const marks[] = { ": error: ", ": warning: " };
	const char *colon = memchr(line, ':', len);

	if (!colon)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t mark_len = strlen(marks[i]);

		if ((size_t)(line + len - colon) >= mark_len && !memcmp(colon, marks[i], mark_len))
			return true;
	}
	return false;
}

void line_make_printable(const char *line, size_t len, char *out, size_t room)
{
	size_t n = len < room - 1 ? len : room - 1;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)line[i];

		out[i] = c < 0x20 || c == 0x7f ? (c == '\t' ? ' ' : '?') : (char)c;
	}
	out[n] = '\0';
}
