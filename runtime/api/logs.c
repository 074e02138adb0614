/* GET /containers/{}/logs: what was written, and with follow what is being written, in docker's
 * frames (plain bytes for containers with a terminal). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "api/frame.h"
#include "api/handlers.h"
#include "api/request.h"
#include "api/timestamp.h"
#include "engine/logfile.h"

enum { BATCH = 16 * 1024, POLL_MS = 250 };

struct logs {
	struct logfile *file;
	unsigned streams;
	bool timestamps, raw, follow, ended;
	int64_t since_ns, until_ns;
	int watch;                     /* inotify; -1: the file is looked at four times a second */
	struct loop_source *source, *timer;
};

static bool add_line(struct logs *l, const struct log_line *line, struct buf *out)
{
	int64_t time = l->since_ns || l->until_ns ? timestamp_parse(line->time) : 0;

	if (l->until_ns && time > l->until_ns)
		return false;
	if (!(l->streams & line->stream) || (l->since_ns && time < l->since_ns))
		return true;
	frame_add(out, line->stream, l->timestamps ? line->time : NULL, line->text, line->len, l->raw);
	return true;
}

static void on_poll(struct loop *loop, void *arg)
{
	struct request *r = arg;
	struct logs *l = r->stream.state;

	(void)loop;
	l->timer = NULL;
	stream_wake(r);
}

static bool logs_more(struct request *r, struct buf *out)
{
	struct logs *l = r->stream.state;
	struct log_line line;
	bool ended = l->ended;

	while (out->len < BATCH) {
		int rc = logfile_next(l->file, &line);

		if (rc < 0)
			return false;
		if (rc == 0)
			break;
		if (!add_line(l, &line, out))
			return false;
	}
	if (out->len)
		return true;
	/* `ended` as it was before the last look: the shim writes all before it hangs up. */
	if (!l->follow || ended)
		return false;
	if (l->watch < 0 && !l->timer)
		l->timer = loop_timer(r->engine->loop, POLL_MS, on_poll, r);
	return true;
}

static void logs_end(struct request *r)
{
	struct logs *l = r->stream.state;

	loop_remove(r->engine->loop, l->source);
	loop_remove(r->engine->loop, l->timer);
	if (l->watch >= 0)
		close(l->watch);
	logfile_close(l->file);
	free(l);
}

static void on_change(struct loop *loop, int fd, uint32_t events, void *arg)
{
	char drain[4096];

	(void)loop;
	(void)events;
	while (read(fd, drain, sizeof(drain)) > 0)
		;
	stream_wake(arg);
}

static void on_exit_of(void *arg, struct container *c, int rc, const struct err *e)
{
	struct request *r = arg;
	struct logs *l = r->stream.state;

	(void)c;
	(void)rc;
	(void)e;
	l->ended = true;
	stream_wake(r);
}

/* The directory and not the file is watched: rotation makes a new file. */
static void watch_log(struct request *r, struct logs *l, const char *path)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	l->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (l->watch < 0)
		return;
	l->source = loop_fd(r->engine->loop, l->watch, EPOLLIN, on_change, r);
	if (!l->source ||
	    inotify_add_watch(l->watch, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		loop_remove(r->engine->loop, l->source);
		close(l->watch);
		l->source = NULL;
		l->watch = -1;
	}
}

static int64_t tail_of(struct request *r)
{
	const char *tail = request_query(r, "tail");

	return tail && !strcmp(tail, "all") ? -1 : request_number(r, "tail", -1);
}

static struct logs *logs_new(struct request *r, struct container *c, struct err *e)
{
	struct logs *l = calloc(1, sizeof(*l));
	char *path = container_log_path(c);
	int rc = l && path ? logfile_open(&l->file, path, tail_of(r), e) : -ENOMEM;

	if (rc < 0) {
		free(path);
		free(l);
		return NULL;
	}
	l->watch = -1;
	l->streams = (request_flag(r, "stdout") ? LOG_STDOUT : 0U) |
		     (request_flag(r, "stderr") ? LOG_STDERR : 0U);
	l->timestamps = request_flag(r, "timestamps");
	l->raw = c->spec.tty;
	l->since_ns = timestamp_parse(request_query(r, "since"));
	l->until_ns = timestamp_parse(request_query(r, "until"));
	l->follow = request_flag(r, "follow");
	l->ended = !container_is_live(c);
	if (l->follow && !l->ended)
		watch_log(r, l, path);
	free(path);
	return l;
}

void handle_logs(struct request *r)
{
	struct container *c = request_container(r);
	struct err e = { 0 };
	struct logs *l;

	if (!c)
		return;
	if (!request_flag(r, "stdout") && !request_flag(r, "stderr")) {
		reply_error(r, MHD_HTTP_BAD_REQUEST,
			    "Bad parameters: you must choose at least one stream");
		return;
	}
	if (c->spec.log.driver && (!strcmp(c->spec.log.driver, "none") ||
				   !strcmp(c->spec.log.driver, "syslog"))) {
		reply_error(r, MHD_HTTP_NOT_IMPLEMENTED,
			    "configured logging driver does not support reading");
		return;
	}
	l = logs_new(r, c, &e);
	if (!l) {
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "%s", *e.text ? e.text : "out of memory");
		return;
	}
	reply_stream(r, l->raw ? "application/vnd.docker.raw-stream" :
				 "application/vnd.docker.multiplexed-stream",
		     (struct stream){ .more = logs_more, .end = logs_end, .state = l });
	if (l->follow && !l->ended && engine_wait(c, ENGINE_WAIT_EXIT, on_exit_of, r, &e) < 0)
		l->follow = false;
}
