/* A growing byte buffer that is always NUL-terminated, so that text needs no second kind.
 * A failed allocation is remembered: append freely, ask buf_ok() once at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;   /* NULL while empty; owned */
	size_t len;   /* bytes, without the NUL */
	size_t room;  /* bytes allocated */
	bool failed;  /* an append did not fit into memory */
};

#define autobuf __attribute__((cleanup(buf_free)))

void buf_free(struct buf *b);
void buf_reset(struct buf *b); /* empty, memory kept */
bool buf_ok(const struct buf *b);
const char *buf_text(const struct buf *b); /* "" while empty */

void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Text in which bytes that are no UTF-8 become U+FFFD. */
void buf_add_utf8(struct buf *b, const char *text, size_t len);

/* Text as a JSON string, quotes included; bytes that are no UTF-8 become U+FFFD. */
void buf_add_json_string(struct buf *b, const char *text, size_t len);

/* Drops the first `n` bytes. */
void buf_consume(struct buf *b, size_t n);

/* Hands the memory to the caller (never NULL unless failed) and empties the buffer. */
char *buf_take(struct buf *b);
