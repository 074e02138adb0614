/* POST start, stop, restart, kill, pause, unpause, rename, wait; DELETE. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "engine/signals.h"

static void answer(struct request *r, int rc, const struct err *e)
{
	if (rc == ENGINE_ALREADY)
		reply_empty(r, MHD_HTTP_NOT_MODIFIED);
	else if (rc < 0)
		reply_errno(r, rc, e);
	else
		reply_empty(r, MHD_HTTP_NO_CONTENT);
}

static void on_done(void *arg, struct container *c, int rc, const struct err *e)
{
	struct request *r = arg;

	(void)c;
	answer(r, rc, e);
	request_answer(r);
}

static void finish(struct request *r, int rc, const struct err *e)
{
	if (rc == ENGINE_PENDING)
		request_wait(r);
	else
		answer(r, rc, e);
}

void handle_start(struct request *r)
{
	struct container *c = request_container(r);
	struct err e = { 0 };

	if (c)
		finish(r, engine_start(c, on_done, r, &e), &e);
}

/* docker's t: seconds; -1 waits for ever, none is the container's own grace time. */
static int64_t grace_ms(struct request *r)
{
	int64_t seconds = request_number(r, "t", INT64_MIN);

	if (seconds == INT64_MIN)
		return -1;
	if (seconds < 0 || seconds > INT32_MAX)
		return (int64_t)INT32_MAX * 1000;
	return seconds * 1000;
}

/* False: the answer is given. */
static bool take_signal(struct request *r, struct container *c)
{
	const char *name = request_query(r, "signal");
	int sig = name && *name ? signal_number(name) : 0;

	if (sig < 0) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "Invalid signal: %s", name);
		return false;
	}
	c->stop_signal = sig;
	return true;
}

void handle_stop(struct request *r)
{
	struct container *c = request_container(r);
	struct err e = { 0 };

	if (c && take_signal(r, c))
		finish(r, engine_stop(c, grace_ms(r), on_done, r, &e), &e);
}

void handle_restart(struct request *r)
{
	struct container *c = request_container(r);
	struct err e = { 0 };

	if (c && take_signal(r, c))
		finish(r, engine_restart(c, grace_ms(r), on_done, r, &e), &e);
}

void handle_kill(struct request *r)
{
	const char *name = request_query(r, "signal");
	int sig = name && *name ? signal_number(name) : SIGKILL;
	struct container *c = request_container(r);
	struct err e = { 0 };
	int rc;

	if (!c)
		return;
	if (sig < 0) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "Invalid signal: %s", name);
		return;
	}
	rc = engine_kill(c, sig, on_done, r, &e);
	if (rc < 0)
		err_prefix(&e, "cannot kill container: %s", r->param);
	finish(r, rc, &e);
}

void handle_pause(struct request *r)
{
	struct container *c = request_container(r);
	struct err e = { 0 };

	if (c)
		finish(r, engine_pause(c, true, &e), &e);
}

void handle_unpause(struct request *r)
{
	struct container *c = request_container(r);
	struct err e = { 0 };

	if (c)
		finish(r, engine_pause(c, false, &e), &e);
}

void handle_rename(struct request *r)
{
	const char *name = request_query(r, "name");
	struct container *c = request_container(r);
	struct err e = { 0 };

	if (c)
		finish(r, engine_rename(c, name ? name : "", &e), &e);
}

void handle_remove(struct request *r)
{
	struct container *c = request_container(r);
	struct err e = { 0 };

	if (c)
		finish(r, engine_remove(c, request_flag(r, "force"), request_flag(r, "v"), on_done, r,
					&e), &e);
}

/* ---- wait: a stream of one object, so that its headers go out at once ---- */

struct wait {
	bool over;
	int64_t exit_code;
};

static bool wait_more(struct request *r, struct buf *out)
{
	const struct wait *w = r->stream.state;

	if (!w->over)
		return true;
	buf_addf(out, "{\"StatusCode\":%lld}\n", (long long)w->exit_code);
	return false;
}

static void wait_end(struct request *r)
{
	free(r->stream.state);
}

static void on_waited(void *arg, struct container *c, int rc, const struct err *e)
{
	struct request *r = arg;
	struct wait *w = r->stream.state;

	(void)rc;
	(void)e;
	w->over = true;
	w->exit_code = c->exit_code;
	stream_wake(r);
}

void handle_wait(struct request *r)
{
	const char *condition = request_query(r, "condition");
	bool removed = condition && !strcmp(condition, "removed");
	bool next = condition && !strcmp(condition, "next-exit");
	struct container *c = request_container(r);
	struct err e = { 0 };
	struct wait *w;

	if (!c)
		return;
	if (condition && *condition && !removed && !next && strcmp(condition, "not-running")) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "invalid condition: \"%.100s\"", condition);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w) {
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	reply_stream(r, "application/json",
		     (struct stream){ .more = wait_more, .end = wait_end, .state = w });
	w->exit_code = c->exit_code;
	w->over = !removed && !next && !container_is_live(c) && c->state != STATE_RESTARTING;
	if (!w->over)
		engine_wait(c, removed ? ENGINE_WAIT_REMOVED : ENGINE_WAIT_EXIT, on_waited, r, &e);
}
