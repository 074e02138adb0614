/* An HTTP/1.1 client (RFC 9112) for one request over a unix socket: what `berth` needs to speak
 * the Docker Engine API, and no more. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct http_response {
	int fd;              /* -1 when the body is finished */
	int status;
	struct buf raw;      /* bytes that came and were not yet given out */
	bool chunked;
	bool until_close;
	size_t left;         /* bytes of the body, or of the chunk, still to come */
	bool chunk_open;     /* the last chunk's closing CRLF is still to come */
	struct buf path_stat; /* X-Docker-Container-Path-Stat */
};

/* The engine's socket: an fd, or -errno. */
int http_connect(const char *host, struct err *e);

/* Sends the request ("/containers/json?all=1"; `body` may be NULL) and reads the head of the
 * answer. `host` is "unix:///path". 0 or -errno. */
int http_request(const char *host, const char *method, const char *target, const char *body,
		 struct http_response *out, struct err *e);

/* The same with more header lines ("X-Registry-Auth: ...\r\n") and no body. */
int http_request_with(const char *host, const char *method, const char *target,
		      const char *headers, struct http_response *out, struct err *e);

/* The same with a body that is all there is to read from `fd`, sent as it comes. */
int http_upload(const char *host, const char *method, const char *target, int fd,
		struct http_response *out, struct err *e);

/* Reads some of the body. 0: end; otherwise the number of bytes, or -errno. */
ssize_t http_read(struct http_response *r, void *data, size_t room, struct err *e);

void http_close(struct http_response *r);

/* Whole exchange for JSON endpoints: a status of 400 and above becomes an error with the
 * engine's message. `out` gets the body. Returns the status or -errno. */
int http_call(const char *host, const char *method, const char *target, const char *body,
	      struct buf *out, struct err *e);

/* The rest of an answer that http_request began; closes it. As http_call. */
int http_finish(struct http_response *r, struct buf *out, struct err *e);

/* POST with "Upgrade: tcp": after 0 `out->fd` is the stream, what came of it already is `raw`. */
int http_upgrade(const char *host, const char *target, const char *body,
		 struct http_response *out, struct err *e);

/* Appends text percent-encoded for a path segment or a query value. */
void http_escape(struct buf *out, const char *text);
