/* A job's answer (engine/job.h): what it says goes to the client as it comes. */
#pragma once

#include "api/request.h"
#include "engine/job.h"

/* What is left to do when the job has ended well: appends the last lines. 0, or -errno. */
typedef int progress_done_fn(struct request *r, const char *result, void *state, struct buf *tail,
			     struct err *e);

/* All that it said, when it has ended well: gives the answer itself. */
typedef void progress_said_fn(struct request *r, struct buf *said, void *state);

/* Its first line is meant for the answer's head, which is made already. */
typedef void progress_head_fn(struct request *r, const char *line, size_t len);

struct progress_wish {
	struct job_wish job;         /* `streamed`: its input is the request's body */
	const char *type;            /* Content-Type of what it says */
	unsigned status;             /* when all is well; 0: 200 */
	/* An error after the first bytes: a JSON line; else (an archive) the connection breaks. */
	bool lines;
	progress_done_fn *done;      /* may be NULL */
	progress_said_fn *said;      /* in place of all that goes out by itself; at most 4 MiB */
	progress_head_fn *head;      /* may be NULL */
	void (*over)(struct request *r, void *state); /* it has ended, well or not; may be NULL */
	void *state;                 /* freed with free() at the end */
};

/* Starts it, and answers: with an error's status if it fails before it says anything. */
void reply_job(struct request *r, const struct progress_wish *wish);
