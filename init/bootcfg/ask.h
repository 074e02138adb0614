/* Questions to a service on the network (metadata, a seed). The first one waits until the
 * network is there and the service answers, for a bounded time; the later ones are tried three
 * times each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct ask {
	char base[192];      /* in front of each path: "http://169.254.169.254" */
	char headers[1280];  /* of each question, lines */
	unsigned redirects;
	bool answered;       /* it has, at least once */
};

enum {
	ASK_WAIT_MS = 60000,    /* for the first answer */
	ASK_FIRST_S = 5,        /* one try of it */
	ASK_LATER_S = 10,
	ASK_LATER_TRIES = 3,
	ASK_AGAIN_MS = 250,     /* between two tries */
};

/* GET. `out` gets the body, whatever the status. Returns the HTTP status, or -errno: there is no
 * answer. */
int ask_get(struct ask *a, const char *path, struct buf *out, struct err *e);

struct ask_words {
	const char *method, *path;
	const char *headers; /* more of them, lines; NULL: none */
	const char *body;    /* NULL: none */
};

/* As ask_get with another method, more headers and a body. */
int ask_send(struct ask *a, const struct ask_words *w, struct buf *out, struct err *e);

/* The same once, without patience, and no first answer yet. -EAGAIN: it says that it is busy. */
int ask_try(struct ask *a, const struct ask_words *w, struct buf *out, struct err *e);

/* As ask_get, for a text that has to be there: 0, or -errno also for another status than 200. */
int ask_need(struct ask *a, const char *path, struct buf *out, struct err *e);

/* As ask_get, for one that may be missing: 0 and nothing for 404 (and 204), -errno as above. */
int ask_maybe(struct ask *a, const char *path, struct buf *out, struct err *e);
