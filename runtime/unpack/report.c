#include "unpack/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "image/ref.h"

enum { SHORT_ID = 12, SHA_PREFIX = 7 };

/* Nobody listens any more: the client has gone, and with it the wish. */
static void send_line(struct buf *b)
{
	buf_adds(b, "}\r\n");
	if (buf_ok(b) && file_write_all(STDOUT_FILENO, b->data, b->len) < 0)
		_exit(1);
}

static void add_text(struct buf *b, const char *key, const char *text, size_t len)
{
	buf_addf(b, "%c\"%s\":", b->len ? ',' : '{', key);
	buf_add_json_string(b, text, len);
}

void report_status(const char *digest, const char *status)
{
	autobuf struct buf b = { 0 };

	add_text(&b, "status", status, strlen(status));
	if (digest) {
		buf_adds(&b, ",\"progressDetail\":{}");
		add_text(&b, "id", digest + SHA_PREFIX, SHORT_ID);
	}
	send_line(&b);
}

void report_progress(const char *digest, const char *status, uint64_t current, uint64_t total)
{
	autobuf struct buf b = { 0 };

	add_text(&b, "status", status, strlen(status));
	buf_addf(&b, ",\"progressDetail\":{\"current\":%" PRIu64, current);
	if (total)
		buf_addf(&b, ",\"total\":%" PRIu64, total);
	buf_adds(&b, "}");
	add_text(&b, "id", digest + SHA_PREFIX, SHORT_ID);
	send_line(&b);
}

__attribute__((format(printf, 2, 0)))
static void report_formatted(const char *key, const char *fmt, va_list ap)
{
	autobuf struct buf b = { 0 };
	autofree char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	add_text(&b, key, text, strlen(text));
	send_line(&b);
}

void report_text(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_formatted("status", fmt, ap);
	va_end(ap);
}

void report_stream(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_formatted("stream", fmt, ap);
	va_end(ap);
}

void report_id(const char *status, const char *id)
{
	autobuf struct buf b = { 0 };

	add_text(&b, "status", status, strlen(status));
	add_text(&b, "id", id, strlen(id));
	send_line(&b);
}

void report_raw(const char *json)
{
	autobuf struct buf b = { 0 };

	buf_adds(&b, json);
	buf_adds(&b, "\r\n");
	if (buf_ok(&b) && file_write_all(STDOUT_FILENO, b.data, b.len) < 0)
		_exit(1);
}
