/* What the commands that join a terminal to a container ask of the engine. */
#pragma once

#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/http.h"

/* The answer, or NULL with the sentence. */
yyjson_doc *call_json(const char *method, const char *target, const char *body, struct err *e);

/* "/containers/NAME" and what follows. */
void call_target(struct buf *out, const char *name, const char *tail);

/* 0, or -ENOTTY when stdin is none. */
int call_terminal(struct err *e);

/* The rest of the answer to `to`. -EPIPE: nobody reads it any more, without a sentence. */
int call_pour(struct http_response *r, int to, struct err *e);

/* A GET whose answer goes to the file (NULL: standard output, unless that is a terminal). */
int call_download(const char *target, const char *file, struct err *e);

/* The exit code in the answer to POST .../wait, or -EPROTO: none is not 0. */
int call_exit_code(const struct buf *answer, struct err *e);

/* The exit code of a POST .../wait whose head has come; closes it. */
int call_wait_code(struct http_response *wait);
