/* MIME (RFC 2045, 2046) as far as user-data has it: multi-parts, base64 and quoted-printable. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/base64.h"
#include "bootcfg/parts.h"
#include "bootcfg/section.h"

enum { BOUNDARY_MAX = 80, TYPE_MAX = 64 };

/* A stretch of the text. */
struct span {
	const char *at, *end;
};

struct head {
	char type[TYPE_MAX], boundary[BOUNDARY_MAX], encoding[32];
	bool merges;      /* it asks for a way of merging */
	struct span body;
};

/* The next line without its end; false at the end of the text. */
static bool next_line(struct span *rest, struct span *line)
{
	const char *end;

	if (rest->at >= rest->end)
		return false;
	end = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
	line->at = rest->at;
	line->end = end ? end : rest->end;
	rest->at = end ? end + 1 : rest->end;
	if (line->end > line->at && line->end[-1] == '\r')
		line->end--;
	return true;
}

static bool begins(const struct span *s, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(s->end - s->at) >= len && strncasecmp(s->at, with, len) == 0;
}

bool mime_is(const struct buf *text)
{
	const struct span all = { buf_text(text), buf_text(text) + text->len };

	return begins(&all, "Content-Type:") || begins(&all, "MIME-Version:") ||
	       begins(&all, "From nobody");
}

/* The value up to ";" in lower case. */
static void take_word(const char *value, char *out, size_t room)
{
	size_t len;

	value += strspn(value, " \t");
	len = strcspn(value, "; \t");
	if (len >= room)
		len = room - 1;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)value[i]);
	out[len] = '\0';
}

static void take_boundary(const char *value, char out[BOUNDARY_MAX])
{
	const char *at = strcasestr(value, "boundary=");
	size_t len;

	if (!at)
		return;
	at += strlen("boundary=");
	len = *at == '"' ? strcspn(++at, "\"") : strcspn(at, "; \t");
	if (len < BOUNDARY_MAX) {
		memcpy(out, at, len);
		out[len] = '\0';
	}
}

static void take_header(struct head *h, const char *line)
{
	if (strncasecmp(line, "Content-Type:", 13) == 0) {
		take_word(line + 13, h->type, sizeof(h->type));
		take_boundary(line + 13, h->boundary);
	} else if (strncasecmp(line, "Content-Transfer-Encoding:", 26) == 0) {
		take_word(line + 26, h->encoding, sizeof(h->encoding));
	} else if (strncasecmp(line, "Merge-Type:", 11) == 0 ||
		   strncasecmp(line, "X-Merge-Type:", 13) == 0) {
		h->merges = true;
	}
}

/* Up to the empty line; a line that begins with a blank goes on with the one before. */
static void read_head(struct span rest, struct head *h)
{
	autobuf struct buf whole = { 0 };
	struct span line;

	while (next_line(&rest, &line) && line.at < line.end) {
		if (!strchr(" \t", *line.at) && whole.len) {
			take_header(h, buf_text(&whole));
			buf_reset(&whole);
		}
		buf_add(&whole, line.at, (size_t)(line.end - line.at));
	}
	take_header(h, buf_text(&whole));
	h->body = rest;
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

static void unquote(struct span s, struct buf *out)
{
	for (const char *at = s.at; at < s.end; at++) {
		size_t left = (size_t)(s.end - at);

		if (*at == '=' && left > 2 && hex(at[1]) >= 0 && hex(at[2]) >= 0) {
			buf_addc(out, (char)(hex(at[1]) << 4 | hex(at[2])));
			at += 2;
		} else if (*at == '=' && left > 1 && at[1] == '\n') {
			at += 1;
		} else if (*at == '=' && left > 2 && at[1] == '\r' && at[2] == '\n') {
			at += 2;
		} else {
			buf_addc(out, *at);
		}
	}
}

static int decode_body(const struct head *h, struct buf *out, struct err *e)
{
	size_t len = (size_t)(h->body.end - h->body.at), plain_len;

	if (strcmp(h->encoding, "base64") == 0) {
		autofree unsigned char *plain = malloc(len + 1);

		if (!plain || base64_decode(h->body.at, len, plain, len, &plain_len) < 0)
			return err_set(e, -EBADMSG, "a MIME part is said to be base64 and is not");
		buf_add(out, plain, plain_len);
	} else if (strcmp(h->encoding, "quoted-printable") == 0) {
		unquote(h->body, out);
	} else {
		buf_add(out, h->body.at, len);
	}
	return 0;
}

static int add_part(struct span part, unsigned depth, struct buf *out, struct err *e);

/* "--boundary" begins a part, "--boundary--" ends the last; what is around them is for nobody.
 * The line end before a boundary is the boundary's. */
static int add_parts(const struct head *h, unsigned depth, struct buf *out, struct err *e)
{
	struct span rest = h->body, line, part = { NULL, NULL };
	size_t len = strlen(h->boundary);
	int code = 0;

	while (code == 0 && next_line(&rest, &line)) {
		if (line.end - line.at < (ptrdiff_t)len + 2 || memcmp(line.at, "--", 2) != 0 ||
		    memcmp(line.at + 2, h->boundary, len) != 0)
			continue;
		if (part.at) {
			part.end = line.at;
			code = add_part(part, depth, out, e);
		}
		part.at = rest.at;
		if ((size_t)(line.end - line.at) >= len + 4 && memcmp(line.at + len + 2, "--", 2) == 0)
			return code;
	}
	if (code == 0 && part.at) { /* cut off: what is there counts */
		part.end = rest.end;
		code = add_part(part, depth, out, e);
	}
	return code;
}

static int add_part(struct span part, unsigned depth, struct buf *out, struct err *e)
{
	struct head h = { .merges = false };
	autobuf struct buf body = { 0 };
	int code;

	read_head(part, &h);
	if (h.merges)
		section_add_text(out, "error", "a MIME part asks for a way of merging (Merge-Type); maps are "
				 "merged, lists replaced");
	if (strncmp(h.type, "multipart/", 10) == 0) {
		if (!h.boundary[0])
			return err_set(e, -EBADMSG, "a MIME multi-part names no boundary");
		if (depth >= PARTS_DEPTH_MAX)
			return err_set(e, -EBADMSG, "there are more than %d wrappings in each other",
				       PARTS_DEPTH_MAX);
		return add_parts(&h, depth + 1, out, e);
	}
	code = decode_body(&h, &body, e);
	return code < 0 ? code : parts_add(h.type, &body, depth + 1, out, e);
}

int mime_split(const struct buf *text, unsigned depth, struct buf *out, struct err *e)
{
	struct span all = { buf_text(text), buf_text(text) + text->len }, line;

	if (begins(&all, "From "))
		next_line(&all, &line);
	return add_part(all, depth, out, e);
}
