/* A job's answer (engine/job.h): what it says goes to the client as it comes. */
#pragma once

#include "api/request.h"
#include "engine/job.h"

/* What is left to do when the job has ended well: appends the last lines. 0, or -errno. */
typedef int progress_done_fn(struct request *r, const char *result, void *state, struct buf *tail,
			     struct err *e);

struct progress_wish {
	struct job_wish job;
	const char *type;            /* Content-Type of what it says */
	/* An error after the first bytes: a JSON line; else (an archive) the connection breaks. */
	bool lines;
	progress_done_fn *done;      /* may be NULL */
	void *state;                 /* freed with free() at the end */
};

/* Starts it, and answers: with an error's status if it fails before it says anything. */
void reply_job(struct request *r, const struct progress_wish *wish);
