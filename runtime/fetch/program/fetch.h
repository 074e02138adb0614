/* What fetch's commands share: one repository of one registry, and the conversation with the
 * program that started it (image/talk.h). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "fetch/registries.h"
#include "fetch/program/web.h"
#include "image/ref.h"

struct fetch {
	int sock;
	struct ref ref;
	const char *platform;
	int limit;                      /* of search; 0: docker's */
	struct endpoints endpoints;
	struct credentials credentials; /* of the client */
	struct web web;                 /* the endpoint that is asked ... */
	size_t endpoint;                /* ... which is this one of them */
	int status;                     /* for "error" */
};

/* Each ends with 0, or -errno and the sentence for the user. */
int fetch_pull(struct fetch *f, struct err *e);
int fetch_push(struct fetch *f, struct err *e);
int fetch_search(struct fetch *f, struct err *e);
int fetch_login(struct fetch *f, struct err *e);

/* Opens that endpoint, for `actions` ("pull", "pull,push"). */
int fetch_open(struct fetch *f, size_t endpoint, const char *actions, struct err *e);

/* blobs.c: downloads those that the conversation asks for, side by side. */
int blobs_download(struct fetch *f, struct err *e);
