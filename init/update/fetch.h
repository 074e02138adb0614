/* Downloads, by /usr/lib/berth/download: another process handles what comes over the network. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/spawn.h"

/* Another one in tests. */
extern const char *fetch_program;

enum { URL_BYTES_MAX = 1024 };

/* How to get there; empty texts: nothing special. */
struct fetch_way {
	char proxy[URL_BYTES_MAX];
	char ca[64]; /* path of a PEM file that counts instead of the image's */
};

struct fetch {
	struct child child;
	int out; /* the bytes, when they come through a pipe */
};

/* The body from byte `offset` on, at most `max` bytes, into `into` (an fd), or through a pipe
 * (-1). `parts`: an fd of a list of lines FIRST LAST, or -1 for the whole. */
struct fetch_request {
	const char *url;
	const struct fetch_way *way;
	uint64_t offset, max;
	int into, parts;
};

int fetch_start(const struct fetch_request *r, struct fetch *out, struct err *e);

/* Waits for its end. -ENOTSUP: the server sends no parts. Another failure was told on stderr. */
int fetch_end(struct fetch *f, struct err *e);

/* Parts, through a pipe, one behind the other: `list` has a line FIRST LAST for each. */
int fetch_parts(const char *url, const struct fetch_way *way, const struct buf *list,
		struct fetch *out, struct err *e);

/* A small text. */
int fetch_text(const char *url, const struct fetch_way *way, size_t max, struct buf *out,
	       struct err *e);
