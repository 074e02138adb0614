#include "api/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"

enum { BATCH = 16 * 1024, HELD_MOST = 256 * 1024, SAID_MOST = 4 << 20 };

struct progress {
	struct job *job;
	struct progress_wish wish;
	struct buf first;    /* read before it was known whether there is an answer to stream */
	struct buf tail;     /* after the job's own words */
	bool uploading;      /* the request's body still comes */
	bool streaming;      /* the head of the answer is out, or as good as */
	bool ended, broken;
	int rc;              /* with which it ended */
	struct err fault;
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
	if (p->wish.over)
		p->wish.over(r, p->wish.state);
	buf_free(&p->first);
	buf_free(&p->tail);
	free(p->wish.state);
	free(p);
}

static void begin_stream(struct request *r)
{
	struct progress *p = r->stream.state;
	size_t line = strcspn(buf_text(&p->first), "\n");

	p->streaming = true;
	reply_stream(r, p->wish.type, r->stream);
	r->status = p->wish.status ? p->wish.status : r->status;
	if (p->wish.head) {
		p->wish.head(r, buf_text(&p->first), line);
		buf_consume(&p->first, line < p->first.len ? line + 1 : line);
	}
	request_answer(r);
}

/* What it says while no answer can go out yet; some stays in the pipe when it is too much. */
static void hold(struct progress *p)
{
	size_t most = p->wish.said ? SAID_MOST : HELD_MOST;

	while (p->first.len < most && job_read(p->job, &p->first, BATCH) == 1)
		;
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
	if (p->uploading || p->wish.said || p->wish.head)
		hold(p);
	else
		job_read(p->job, &p->first, BATCH);
	if (!p->uploading && !p->wish.said && p->first.len &&
	    (!p->wish.head || strchr(buf_text(&p->first), '\n')))
		begin_stream(r);
}

static void give_said(struct request *r)
{
	struct progress *p = r->stream.state;

	hold(p);
	if (p->first.len >= SAID_MOST)
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer is too long");
	else
		p->wish.said(r, &p->first, p->wish.state);
	request_answer(r);
}

/* It has ended, and so has the request's body. */
static void settle(struct request *r)
{
	struct progress *p = r->stream.state;

	if (!p->streaming)
		hold(p);
	if (p->rc < 0 && !p->streaming && (!p->first.len || p->wish.said || p->wish.head)) {
		reply_errno(r, p->rc, &p->fault);
		request_answer(r);
		return;
	}
	if (p->wish.said) {
		give_said(r);
		return;
	}
	if (p->rc < 0 && p->wish.lines)
		add_error(&p->tail, p->fault.text);
	p->broken = p->rc < 0 && !p->wish.lines;
	if (p->streaming)
		stream_wake(r);
	else
		begin_stream(r);
}

static void on_ended(void *arg, int rc, const struct err *e)
{
	struct request *r = arg;
	struct progress *p = r->stream.state;

	p->ended = true;
	p->fault = *e;
	if (p->wish.over)
		p->wish.over(r, p->wish.state);
	p->wish.over = NULL;
	if (!rc && p->wish.done)
		rc = p->wish.done(r, job_result(p->job), p->wish.state, &p->tail, &p->fault);
	p->rc = rc;
	if (p->uploading)
		request_answer(r); /* what it did not take is passed over */
	else
		settle(r);
}

/* ---- the request's body ---- */

static size_t take_upload(struct request *r, const char *data, size_t len)
{
	struct progress *p = r->stream.state;
	ssize_t n = p->ended ? -EPIPE : job_write(p->job, data, len);

	/* It wants no more; why, it says at its end. */
	return n < 0 ? len : (size_t)n;
}

static void end_upload(struct request *r)
{
	struct progress *p = r->stream.state;

	p->uploading = false;
	job_close_input(p->job);
	if (p->ended)
		settle(r);
	else
		on_output(r);
	if (!r->response)
		request_wait(r);
}

static void on_input(void *arg)
{
	request_answer(arg);
}

void reply_job(struct request *r, const struct progress_wish *wish)
{
	struct progress *p = calloc(1, sizeof(*p));
	struct job_fns fns = { .output = on_output, .input = on_input, .ended = on_ended,
			       .arg = r };
	struct err e = { 0 };
	int rc = p ? job_start(r->engine, &wish->job, &fns, &p->job, &e) :
		     err_set(&e, -ENOMEM, "out of memory");

	if (rc < 0) {
		if (wish->over)
			wish->over(r, wish->state);
		free(p);
		free(wish->state);
		reply_errno(r, rc, &e);
		return;
	}
	p->wish = *wish;
	p->uploading = wish->job.streamed;
	r->stream = (struct stream){ .more = more, .end = end, .state = p };
	if (p->uploading)
		r->upload = (struct upload){ .data = take_upload, .end = end_upload };
	else
		request_wait(r);
}
