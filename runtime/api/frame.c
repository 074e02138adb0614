#include "api/frame.h"

#include <string.h>

void frame_add(struct buf *out, unsigned stream, const char *time, const char *text, size_t len,
	       bool raw)
{
	size_t stamp = time ? strlen(time) + 1 : 0, total = stamp + len;
	unsigned char head[8] = {
		(unsigned char)stream, 0, 0, 0,
		(unsigned char)(total >> 24), (unsigned char)(total >> 16),
		(unsigned char)(total >> 8), (unsigned char)total,
	};

	if (!raw)
		buf_add(out, head, sizeof(head));
	if (time) {
		buf_adds(out, time);
		buf_addc(out, ' ');
	}
	buf_add(out, text, len);
}
