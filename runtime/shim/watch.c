#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "shim/shim.h"

static void end_output(struct output *o)
{
	loop_remove(o->shim->loop, take_ptr(o->source));
	lines_end(&o->lines, o->shim->log);
	cleanup_fd(&o->fd);
	o->fd = -1;
}

static void on_output(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct output *o = arg;
	ssize_t n = lines_read(&o->lines, fd, o->shim->log);

	(void)l;
	(void)events;
	/* A terminal whose last user has left says EIO. */
	if (n <= 0 && n != -EAGAIN)
		end_output(o);
}

/* When its first process has been reaped the kernel has killed all the others of the pid
 * namespace: what they wrote is in the pipes and nothing more will come. */
static void drain(struct output *o)
{
	while (o->fd >= 0 && lines_read(&o->lines, o->fd, o->shim->log) > 0)
		;
	if (o->fd >= 0)
		end_output(o);
}

/* Orphans of the runtime and of the container come to us as well: each is reaped. */
static void on_child(struct loop *l, int sig, void *arg)
{
	struct shim *s = arg;
	int status;
	pid_t pid;

	(void)sig;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->pid)
			continue;
		s->status = status;
		loop_stop(l, 0);
	}
	/* Gone without our having been its parent: then there is nothing to wait for. */
	if (pid < 0 && errno == ECHILD && kill(s->pid, 0) < 0 && errno == ESRCH)
		loop_stop(l, 0);
}

void shim_pause_output(struct shim *s, bool pause)
{
	s->paused = pause;
	for (size_t i = 0; i < ARRAY_LEN(s->outputs); i++)
		if (s->outputs[i].source)
			loop_fd_events(s->loop, s->outputs[i].source, pause ? 0u : EPOLLIN);
}

static void tap(void *arg, enum log_stream stream, const char *data, size_t len)
{
	attach_output(arg, stream, data, len);
}

static int watch_outputs(struct shim *s, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(s->outputs); i++) {
		struct output *o = &s->outputs[i];

		if (o->fd < 0)
			continue;
		o->lines.tap = tap;
		o->lines.tap_arg = s;
		o->source = loop_fd(s->loop, o->fd, EPOLLIN, on_output, o);
		if (!o->source)
			return err_sys(e, "watch the container's output");
	}
	return 0;
}

int shim_watch(struct shim *s, struct err *e)
{
	int rc = shim_answer(s, e);

	if (!rc)
		rc = exec_limit_time(s, e);
	if (!rc)
		rc = exec_await_client(s, e);
	if (!rc)
		rc = watch_outputs(s, e);
	if (rc < 0)
		return rc;
	if (!loop_signal(s->loop, SIGCHLD, on_child, s))
		return err_sys(e, "watch the container");
	/* It may have ended before the signal was watched. */
	raise(SIGCHLD);
	rc = loop_run(s->loop);
	for (size_t i = 0; i < ARRAY_LEN(s->outputs); i++)
		drain(&s->outputs[i]);
	return rc < 0 ? err_code(e, rc, "watch the container") : 0;
}
