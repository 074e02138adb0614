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

/* ---- one request of a protocol, and its whole answer ---- */
struct fetch_ask {
	const char *url;
	const char *method;          /* NULL: GET */
	const char *headers;         /* lines "Name: value\n"; NULL: none. Secrets are safe in them */
	const void *body;            /* NULL: none */
	size_t body_bytes;
	const struct fetch_way *way; /* NULL: no proxy, the image's authorities */
	size_t max;                  /* bytes of the answer's body; 0: a megabyte */
	unsigned tries;              /* no connection, a time-out, 429 and 5xx count; 0: one */
	unsigned seconds;            /* of one try; 0: 30 */
	unsigned redirects;          /* followed, with GET only; 0: a 3xx is the answer */
};

struct fetch_answer {
	int status;         /* 200, 404 ...: an answer is no error, whatever it says */
	struct buf headers; /* lines "Name: value\n", as sent */
	struct buf body;
};

#define autoanswer __attribute__((cleanup(fetch_answer_free)))
void fetch_answer_free(struct fetch_answer *a);

/* Blocks, for tries x (seconds + 8) at most. 0, or -EIO with one sentence (not told on stderr):
 * there is no answer. `out` is set on success only, and freed by the caller. */
int fetch_ask(const struct fetch_ask *ask, struct fetch_answer *out, struct err *e);

/* The first such header's value into `out`, cut to its size; false: there is none. */
bool fetch_header(const struct fetch_answer *a, const char *name, char *out, size_t size);
