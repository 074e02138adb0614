/* A container's streams on this terminal, or on whatever stdin, stdout and stderr are. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/http.h"

#define STREAM_DEFAULT_KEYS "ctrl-p,ctrl-q"

enum { STREAM_KEYS_MOST = 16 };

/* Typed one after the other they leave the container alone, running. */
struct stream_keys {
	char bytes[STREAM_KEYS_MOST];
	size_t count, matched;
};

/* "ctrl-p,ctrl-q", "a", "ctrl-@,x". 0 or -EINVAL. */
int stream_keys_parse(const char *text, struct stream_keys *out, struct err *e);

/* What of `data` goes on, in `out`. True: the keys were typed. */
bool stream_keys_filter(struct stream_keys *keys, const char *data, size_t len, struct buf *out);

struct stream {
	struct http_response *http;  /* upgraded */
	bool tty;                    /* raw bytes, and our terminal is made raw */
	bool in;                     /* our stdin is sent */
	const char *resize;          /* address that gets "?h=..&w=.." with a terminal */
	const char *kill;            /* address that gets "NAME" for signals to us; NULL: they are ours */
	struct stream_keys keys;     /* with a terminal; count 0: none */
};

enum { STREAM_ENDED = 0, STREAM_DETACHED = 1 };

/* Until it ends or the keys are typed; or -errno. */
int stream_run(struct stream *s, struct err *e);

/* Docker's frames (1 byte stream, 3 zero, 4 length, big endian), the whole ones, to stdout
 * and stderr. */
ssize_t stream_unframe(struct buf *in);
