#include "bootcfg/section.h"

#include <stdio.h>
#include <string.h>

void section_add(struct buf *out, const char *name, const void *data, size_t len)
{
	buf_addf(out, "%.31s %zu\n", name, len);
	buf_add(out, data, len);
}

void section_add_text(struct buf *out, const char *name, const char *text)
{
	section_add(out, name, text, strlen(text));
}

bool section_next(const struct buf *in, size_t *at, struct section *out)
{
	const char *head = buf_text(in) + *at, *end;

	if (*at >= in->len || sscanf(head, "%31s %zu", out->name, &out->len) != 2)
		return false;
	end = memchr(head, '\n', in->len - *at);
	if (!end || out->len > in->len - (size_t)(end + 1 - buf_text(in)))
		return false;
	out->data = end + 1;
	*at = (size_t)(out->data - buf_text(in)) + out->len;
	return true;
}
