/* HTTP to one registry: authentication as it asks for it, patience where that helps. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "fetch/auth.h"
#include "fetch/registries.h"

enum { WEB_TRIES = 6, WEB_HEADER_MAX = 2048 };

struct web {
	const struct endpoint *at;
	const struct credentials *credentials; /* the client's, or the configuration's */
	char url[ENDPOINT_URL_MAX];            /* http:// once https was not spoken */
	char scope[WEB_HEADER_MAX];            /* what tokens are asked for */
	struct challenge challenge;
	char *token;
	bool basic;                            /* the registry asked for a password */
	CURL *curl;                            /* of web_call */
};

struct web_answer {
	long status;                           /* 0: there was none */
	char type[128];
	char location[WEB_HEADER_MAX];
	char range[64];
	long retry_after_s;                    /* 0: not said */
	struct challenge challenge;
};

struct web_request {
	const char *method;        /* "GET", "HEAD", "POST" ... */
	const char *path;          /* "/v2/...", or a whole address */
	const char *const *headers; /* NULL-terminated, or NULL */
	const void *body;          /* NULL: none */
	bool secret;               /* the body holds credentials: no redirection is followed */
	size_t body_len;
	size_t max;                /* bytes of the answer */
};

int web_open(struct web *w, const struct endpoint *at, const struct credentials *client,
	     const char *scope, struct err *e);
void web_close(struct web *w);

/* The whole exchange: a token is fetched when one is asked for, 429, 5xx and broken connections are
 * tried again. Any final status is 0; -errno: no answer. */
int web_call(struct web *w, const struct web_request *rq, struct web_answer *answer,
	     struct buf *body, struct err *e);

/* For transfers that are the caller's: address, TLS, credentials, limits. False: it cannot be. */
bool web_prepare(struct web *w, CURL *curl, const char *path, struct web_answer *answer);

/* After a 401: is there something new to try it with? `tried` counts. */
bool web_authenticate(struct web *w, const struct web_answer *answer, int *tried, struct err *e);

/* Will another try help? And how long to wait before the nth, in ms. */
bool web_may_pass(CURLcode code, long status);
int64_t web_pause_ms(int nth, const struct web_answer *answer);

/* The registry's own words: "manifest unknown: manifest unknown", or what the status means. */
void web_explain(const struct web_answer *answer, const struct buf *body, struct buf *out);
