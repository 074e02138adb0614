/* One request, from its first byte to the last of its answer. A handler either answers at once
 * (reply_*), or says request_wait() and answers later from a callback, or streams. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/route.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "engine/engine.h"

struct api;

struct stream {
	/* Appends what there is to `out`. Returns false when the stream is over (what was appended
	 * still goes out). Nothing appended and true: wait until stream_wake(). */
	bool (*more)(struct request *r, struct buf *out);
	void (*end)(struct request *r);      /* frees `state`; called once */
	void *state;
};

/* Of a handler that takes the body as it comes (its row is in server.c's second table). */
struct upload {
	/* Takes some of the body and returns how much; 0: later, after request_answer(). */
	size_t (*data)(struct request *r, const char *data, size_t len);
	void (*end)(struct request *r);      /* all of it has come */
};

struct request {
	struct api *api;
	struct engine *engine;
	struct MHD_Connection *connection;
	const char *method;
	char *path;                          /* decoded, without version */
	int minor;                           /* of the version that was asked for */
	char param[ROUTE_PARAM_MAX];
	struct buf body;
	struct upload upload;                /* without one the rest of the body is passed over */
	const struct route *route;           /* found; NULL: answered without one */
	bool passed_on;                      /* the body is not kept for the handler */
	bool routed, seen;                   /* looked for; the handler was called */
	bool waiting;                        /* suspended */
	bool gone;                           /* the client hung up */
	struct loop_source *hangup;
	unsigned status;
	struct MHD_Response *response;       /* ready to go */
	struct stream stream;
	struct buf streamed;                 /* made, not yet taken */
	bool stream_over;
};

/* ---- what was asked ---- */
const char *request_query(struct request *r, const char *key); /* NULL: not given */
bool request_flag(struct request *r, const char *key);         /* docker's true: 1, true, t */
int64_t request_number(struct request *r, const char *key, int64_t otherwise);

/* h and w of a terminal; on failure the answer is given and false returned. */
bool request_size(struct request *r, unsigned *rows, unsigned *columns);

/* The container that {} names; on failure the answer is given and NULL returned. */
struct container *request_container(struct request *r);

/* ---- answers ---- */
void reply_json(struct request *r, unsigned status, struct buf *json); /* takes the memory */
void reply_empty(struct request *r, unsigned status);
void reply_error(struct request *r, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void reply_errno(struct request *r, int rc, const struct err *e); /* -ENOENT: 404 ... */
void reply_header(struct request *r, const char *name, const char *value); /* after the reply */
void reply_stream(struct request *r, const char *type, struct stream stream);
void stream_wake(struct request *r);
/* 101: the connection is the handler's (its `cls` is the request), until it says
 * MHD_UPGRADE_ACTION_CLOSE. The request lives so long; its stream.end is called then. */
void reply_upgrade(struct request *r, const char *type, MHD_UpgradeHandler handler);

/* The answer comes later; then one reply_*() and request_answer(). */
void request_wait(struct request *r);
void request_answer(struct request *r);

void api_run_soon(struct api *api);

/* status for -errno */
unsigned status_of(int rc);
