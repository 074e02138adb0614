/* A shim for one more program in a container that runs: the same streams and the same record, but
 * the runtime's exec instead of create, no root to mount and nothing to delete. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "shim/shim.h"

enum { FIRST_CLIENT_MS = 10 * 1000, OWN_WORDS = 9 };

static size_t exec_words(const struct options *o)
{
	size_t n = 0;

	while (o->exec_args[n])
		n++;
	return n;
}

/* RUNTIME exec --detach --pid-file FILE [--tty --console-socket SOCKET] and what we were given. */
const char **exec_argv(const struct options *o, const char *pid_file, const char *console)
{
	const char **argv = calloc(exec_words(o) + OWN_WORDS, sizeof(*argv));
	size_t n = 0;

	if (!argv)
		return NULL;
	argv[n++] = o->runtime;
	argv[n++] = "exec";
	argv[n++] = "--detach";
	argv[n++] = "--pid-file";
	argv[n++] = pid_file;
	if (console) {
		argv[n++] = "--tty";
		argv[n++] = "--console-socket";
		argv[n++] = console;
	}
	for (size_t i = 0; o->exec_args[i]; i++)
		argv[n++] = o->exec_args[i];
	return argv;
}

static void on_nobody(struct loop *l, void *arg)
{
	struct shim *s = arg;

	s->awaiting_client = false;
	loop_stop(l, 0);
}

/* The program runs already: nothing of it is read before its client is there. The time is for an
 * engine that was killed between the two. */
int exec_await_client(struct shim *s, struct err *e)
{
	struct loop_source *timer;
	int rc;

	if (!s->options->await_client)
		return 0;
	timer = loop_timer(s->loop, FIRST_CLIENT_MS, on_nobody, s);
	if (!timer)
		return err_set(e, -ENOMEM, "out of memory");
	s->awaiting_client = true;
	rc = loop_run(s->loop);
	if (!s->awaiting_client)
		return 0;
	s->awaiting_client = false;
	loop_remove(s->loop, timer);
	return rc < 0 ? err_code(e, rc, "wait for the first client") : 0;
}

/* Its whole process group: the runtime makes each program of exec the leader of a session, so that
 * a shell's children go with it. */
static void on_late(struct loop *l, void *arg)
{
	struct shim *s = arg;

	(void)l;
	s->late = true;
	if (kill(-s->pid, SIGKILL) < 0)
		kill(s->pid, SIGKILL);
}

int exec_limit_time(struct shim *s, struct err *e)
{
	if (!s->options->time_limit_ms ||
	    loop_timer(s->loop, (int64_t)s->options->time_limit_ms, on_late, s))
		return 0;
	return err_set(e, -ENOMEM, "out of memory");
}
