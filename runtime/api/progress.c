#include "api/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"

enum { BATCH = 16 * 1024 };

struct progress {
	struct job *job;
	struct progress_wish wish;
	struct buf first;    /* read before it was known whether there is an answer to stream */
	struct buf tail;     /* after the job's own words */
	bool streaming;      /* the head of the answer is out, or as good as */
	bool ended, broken;
};

static void add_error(struct buf *out, const char *sentence)
{
	json_open(out, NULL, '{');
	json_open(out, "errorDetail", '{');
	json_string(out, "message", sentence);
	json_close(out, '}');
	json_string(out, "error", sentence);
	json_close(out, '}');
	buf_adds(out, "\r\n");
}

static bool more(struct request *r, struct buf *out)
{
	struct progress *p = r->stream.state;
	int rc;

	if (p->first.len) {
		buf_add(out, p->first.data, p->first.len);
		buf_free(&p->first);
		return true;
	}
	rc = job_read(p->job, out, BATCH);
	if (rc || !p->ended)
		return true;
	if (p->broken)
		r->gone = true; /* no proper end, so that the client sees that something is missing */
	buf_add(out, buf_text(&p->tail), p->tail.len);
	return false;
}

static void end(struct request *r)
{
	struct progress *p = r->stream.state;

	job_free(p->job);
	buf_free(&p->first);
	buf_free(&p->tail);
	free(p->wish.state);
	free(p);
}

static void begin_stream(struct request *r)
{
	struct progress *p = r->stream.state;

	p->streaming = true;
	reply_stream(r, p->wish.type, r->stream);
	request_answer(r);
}

/* Before the first byte a failure is still a status; after it only a line can tell. */
static void on_output(void *arg)
{
	struct request *r = arg;
	struct progress *p = r->stream.state;

	if (p->streaming) {
		stream_wake(r);
		return;
	}
	if (job_read(p->job, &p->first, BATCH) == 1)
		begin_stream(r);
}

static void on_ended(void *arg, int rc, const struct err *e)
{
	struct request *r = arg;
	struct progress *p = r->stream.state;
	struct err own = *e;

	p->ended = true;
	if (!rc && p->wish.done)
		rc = p->wish.done(r, job_result(p->job), p->wish.state, &p->tail, &own);
	if (!p->streaming)
		job_read(p->job, &p->first, BATCH);
	if (rc < 0 && !p->streaming && !p->first.len) {
		reply_errno(r, rc, &own);
		request_answer(r);
		return;
	}
	if (rc < 0 && p->wish.lines)
		add_error(&p->tail, own.text);
	p->broken = rc < 0 && !p->wish.lines;
	if (p->streaming)
		stream_wake(r);
	else
		begin_stream(r);
}

void reply_job(struct request *r, const struct progress_wish *wish)
{
	struct progress *p = calloc(1, sizeof(*p));
	struct job_fns fns = { .output = on_output, .ended = on_ended, .arg = r };
	struct err e = { 0 };
	int rc = p ? job_start(r->engine, &wish->job, &fns, &p->job, &e) :
		     err_set(&e, -ENOMEM, "out of memory");

	if (rc < 0) {
		free(p);
		free(wish->state);
		reply_errno(r, rc, &e);
		return;
	}
	p->wish = *wish;
	r->stream = (struct stream){ .more = more, .end = end, .state = p };
	request_wait(r);
}
