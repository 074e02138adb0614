#include "pid1/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/spawn.h"
#include "pid1/cgroup.h"
#include "pid1/say.h"
#include "pid1/state.h"
#include "pid1/svclog.h"

enum { NOTIFY_FD = 3, KILL_AGAIN_MS = 2000, NEVER_ENDED = -1 };

struct service {
	struct supervisor *owner;
	const struct service_def *def;
	enum svc_state state;
	struct svclog log;
	pid_t pid;              /* 0: no process */
	int ready_fd;           /* our end of the readiness pipe, -1: none */
	struct loop_source *ready_source;
	struct loop_source *timer; /* what it means follows from the state */
	bool settled, late;
	unsigned tries;         /* since the last good end or request */
	unsigned failures;      /* in a row */
	unsigned restarts;
	int64_t since_ms, started_ms, ready_ms, took_ms;
	int last_exit;
};

struct supervisor {
	struct loop *loop;
	int log_dir;
	struct supervisor_hooks hooks;
	struct service services[SERVICES_MAX];
	const struct service_def *defs[SERVICES_MAX];
	size_t count;
	bool stopping, told_settled, told_stopped;
	bool waking, wake_again;
};

static void apply(struct service *v, enum svc_event event);

/* ---- starting those that wait, stopping those that may ---- */

static void wake_round(struct supervisor *s)
{
	bool settled[SERVICES_MAX], alive[SERVICES_MAX];

	for (size_t i = 0; i < s->count; i++) {
		struct service *v = &s->services[i];

		/* Anew for each: what was done to the one before may have changed them. */
		for (size_t j = 0; j < s->count; j++) {
			settled[j] = s->services[j].settled;
			alive[j] = svc_is_alive(s->services[j].state);
		}
		if (s->stopping && service_may_stop(s->defs, alive, s->count, i)) {
			apply(v, SVC_STOP);
		} else if (!s->stopping && v->state == SVC_WAITING &&
			   service_may_start(s->defs, settled, s->count, i)) {
			bool skip = v->def->condition && access(v->def->condition, F_OK) < 0;

			apply(v, skip ? SVC_SKIP : SVC_GO);
		}
	}
}

static void tell_progress(struct supervisor *s)
{
	bool all_settled = true, any_alive = false;

	for (size_t i = 0; i < s->count; i++) {
		all_settled &= s->services[i].settled;
		any_alive |= svc_is_alive(s->services[i].state);
	}
	if (all_settled && !s->told_settled && !s->stopping) {
		s->told_settled = true;
		s->hooks.all_settled(s->hooks.arg);
	}
	if (s->stopping && !any_alive && !s->told_stopped) {
		s->told_stopped = true;
		s->hooks.all_stopped(s->hooks.arg);
	}
}

/* What is done here leads back here; rounds follow one another instead of nesting. */
static void wake(struct supervisor *s)
{
	s->wake_again = true;
	if (s->waking)
		return;
	s->waking = true;
	while (s->wake_again) {
		s->wake_again = false;
		wake_round(s);
	}
	s->waking = false;
	tell_progress(s);
}

static void settle(struct service *v)
{
	struct supervisor *s = v->owner;

	if (!v->settled) {
		v->settled = true;
		if (!s->stopping)
			s->hooks.settled(v->def->name, s->hooks.arg);
	}
	wake(s);
}

/* ---- timers ---- */

static void on_timer(struct loop *l, void *arg)
{
	struct service *v = arg;

	(void)l;
	v->timer = NULL;
	switch (v->state) {
	case SVC_STARTING:
		apply(v, v->def->kind == SVC_ONESHOT ? SVC_OVERDUE : SVC_LATE);
		break;
	case SVC_BACKOFF:
		apply(v, SVC_AGAIN);
		break;
	default:
		apply(v, SVC_OVERDUE);
	}
}

static void disarm(struct service *v)
{
	loop_remove(v->owner->loop, v->timer);
	v->timer = NULL;
}

static void arm(struct service *v, int64_t ms)
{
	disarm(v);
	v->timer = loop_timer(v->owner->loop, ms, on_timer, v);
}

/* ---- readiness ---- */

static void forget_ready_pipe(struct service *v)
{
	loop_remove(v->owner->loop, v->ready_source);
	v->ready_source = NULL;
	if (v->ready_fd >= 0)
		close(v->ready_fd);
	v->ready_fd = -1;
}

static void on_ready(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct service *v = arg;
	char byte = 0;
	ssize_t n = read(fd, &byte, 1);

	(void)l;
	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	forget_ready_pipe(v);
	/* Closed without a word: it will end, or the deadline will tell. */
	if (n == 1 && byte == '\n')
		apply(v, SVC_READY);
}

/* Returns the service's end, or -errno. */
static int open_ready_pipe(struct service *v)
{
	int ends[2];

	forget_ready_pipe(v);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	fcntl(ends[1], F_SETFL, 0);
	v->ready_source = loop_fd(v->owner->loop, ends[0], EPOLLIN, on_ready, v);
	if (!v->ready_source) {
		close(ends[0]);
		close(ends[1]);
		return -ENOMEM;
	}
	v->ready_fd = ends[0];
	return ends[1];
}

/* ---- processes ---- */

static int start_process(struct service *v, struct err *e)
{
	static const char *const environment[] = {
		"PATH=/usr/bin", "HOME=/root", "TERM=linux", NULL,
	};
	autoclose int ready = v->def->notify ? open_ready_pipe(v) : -1;
	autoclose int cgroup = cgroup_open_service(v->def->name, v->def->cpu_weight);
	struct spawn_fd fds[] = {
		{ svclog_fd(&v->log), STDOUT_FILENO },
		{ svclog_fd(&v->log), STDERR_FILENO },
		{ ready, NOTIFY_FD },
	};
	struct spawn how = {
		.argv = v->def->argv,
		.envp = environment,
		.fds = fds,
		.fd_count = v->def->notify ? 3 : 2,
		.new_session = true,
		.cwd = "/",
		.cgroup = cgroup,
		.oom_score_adj = v->def->oom_score_adj,
	};
	struct child child;
	int rc;

	if (v->def->notify && ready < 0)
		return err_code(e, ready, "make its readiness pipe");
	rc = spawn(&how, &child, e);
	if (rc < 0)
		return rc;
	/* We reap it ourselves, so its pid cannot be anybody else's before that. */
	close(child.pidfd);
	v->pid = child.pid;
	return 0;
}

static void kill_group(struct service *v)
{
	if (!v->def->keep_children)
		cgroup_clear_service(v->def->name);
}

static void ended(struct service *v, int exit_code)
{
	int64_t now = clock_boot_ms();
	bool was_stable = v->state == SVC_RUNNING && now - v->ready_ms >= SVC_STABLE_MS;

	svclog_drain(&v->log);
	forget_ready_pipe(v);
	v->pid = 0;
	v->late = false;
	v->last_exit = exit_code;
	if (was_stable)
		v->failures = 0;
	/* What it left behind would hold its ports and files against its successor. */
	kill_group(v);
	apply(v, svc_end_event(v->def->kind, exit_code, v->tries, v->def->max_tries));
	/* A shutdown waits for it in whatever state that left it. */
	if (v->owner->stopping)
		wake(v->owner);
}

/* ---- what the table asks for ---- */

static void do_nothing(struct service *v)
{
	(void)v;
}

static void do_spawn(struct service *v)
{
	struct err e = { 0 };
	int rc;

	v->started_ms = clock_boot_ms();
	v->tries++;
	arm(v, v->def->start_ms);
	rc = start_process(v, &e);
	if (rc < 0) {
		/* Once; the back-off would say it again and again. */
		if (!v->failures)
			say(v->def->name, "cannot start: %s", e.text);
		ended(v, rc);
	} else if (v->def->kind != SVC_ONESHOT && !v->def->notify) {
		apply(v, SVC_READY);
	}
}

static void tell_settled(struct service *v, const char *outcome)
{
	char note[64] = "";

	if (v->restarts)
		snprintf(note, sizeof(note), "after %u restart%s", v->restarts,
			 v->restarts > 1 ? "s" : "");
	if (!v->def->console)
		say_outcome(v->def->name, outcome, v->took_ms, note);
}

static void do_ready(struct service *v)
{
	disarm(v);
	v->ready_ms = clock_boot_ms();
	v->took_ms = v->ready_ms - v->started_ms;
	v->late = false;
	tell_settled(v, "ready");
	settle(v);
}

static void do_done(struct service *v)
{
	disarm(v);
	v->took_ms = clock_boot_ms() - v->started_ms;
	v->failures = v->tries = 0;
	tell_settled(v, "done");
	settle(v);
}

static void do_late(struct service *v)
{
	v->late = true;
	say(v->def->name, "late     %5d ms  not ready yet; others go on without it", v->def->start_ms);
	settle(v);
}

static void do_retry(struct service *v)
{
	int64_t wait_ms = svc_backoff_ms(++v->failures);
	char how[96];

	v->restarts++;
	arm(v, wait_ms);
	if (v->def->console)
		return;
	status_describe_exit(v->last_exit, how, sizeof(how));
	say(v->def->name, "%s; again in %lld.%lld s", how, (long long)wait_ms / 1000,
	    (long long)wait_ms % 1000 / 100);
}

static void do_fail(struct service *v)
{
	char how[96];

	disarm(v);
	status_describe_exit(v->last_exit, how, sizeof(how));
	say(v->def->name, "failed   %5lld ms  %s, %u of %u times; boot goes on without it",
	    (long long)(clock_boot_ms() - v->started_ms), how, v->tries, v->def->max_tries);
	settle(v);
}

/* Nothing ran, so nothing follows it (hooks.settled). */
static void do_skip(struct service *v)
{
	v->settled = true;
	wake(v->owner);
}

static void do_term(struct service *v)
{
	arm(v, v->def->stop_ms);
	kill(v->pid, SIGTERM);
}

static void do_kill(struct service *v)
{
	if (!v->def->console)
		say(v->def->name, "did not %s in time: killed",
		    v->state == SVC_STARTING ? "finish" : "stop");
	kill(v->pid, SIGKILL);
	kill_group(v);
	/* In case it hangs in the kernel; a dead one disarms this. */
	arm(v, KILL_AGAIN_MS);
}

static void do_stopped(struct service *v)
{
	disarm(v);
	v->failures = v->tries = 0;
	settle(v);
}

static void (*const actions[SVC_ACTION_COUNT])(struct service *v) = {
	[SVC_NOTHING] = do_nothing, [SVC_DO_SPAWN] = do_spawn, [SVC_DO_READY] = do_ready,
	[SVC_DO_DONE] = do_done,    [SVC_DO_LATE] = do_late,   [SVC_DO_RETRY] = do_retry,
	[SVC_DO_FAIL] = do_fail,    [SVC_DO_SKIP] = do_skip,   [SVC_DO_TERM] = do_term,
	[SVC_DO_KILL] = do_kill,    [SVC_DO_STOPPED] = do_stopped,
};

static void apply(struct service *v, enum svc_event event)
{
	struct svc_step step = svc_next(v->state, event);

	if (step.next != v->state) {
		v->state = step.next;
		v->since_ms = clock_boot_ms();
	}
	actions[step.action](v);
}

/* ---- from outside ---- */

int supervisor_new(struct loop *loop, int log_dir, const struct supervisor_hooks *hooks,
		   struct supervisor **out, struct err *e)
{
	struct supervisor *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(e, -ENOMEM, "supervisor: out of memory");
	s->loop = loop;
	s->log_dir = log_dir;
	s->hooks = *hooks;
	*out = s;
	return 0;
}

int supervisor_add(struct supervisor *s, const struct service_def *def, struct err *e)
{
	struct service *v = &s->services[s->count];
	int rc;

	if (s->count == SERVICES_MAX)
		return err_set(e, -E2BIG, "more than %d services", SERVICES_MAX);
	*v = (struct service){
		.owner = s, .def = def, .ready_fd = -1, .took_ms = -1, .last_exit = NEVER_ENDED,
	};
	rc = svclog_open(&v->log, s->loop, s->log_dir, def->name, e);
	if (rc < 0)
		return rc;
	s->defs[s->count++] = def;
	return 0;
}

void supervisor_start(struct supervisor *s)
{
	wake(s);
}

void supervisor_rescue_only(struct supervisor *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct service *v = &s->services[i];

		if (v->def->in_rescue || v->state != SVC_WAITING)
			continue;
		/* Nothing follows from it: those that waited for it are looked at in the next round. */
		v->state = svc_next(v->state, SVC_SKIP).next;
		v->since_ms = clock_boot_ms();
		v->settled = true;
	}
	wake(s);
}

int supervisor_request(struct supervisor *s, enum request_verb verb, const char *name,
		       struct err *e)
{
	static const enum svc_event events[] = {
		[REQUEST_START] = SVC_START, [REQUEST_STOP] = SVC_STOP,
		[REQUEST_RESTART] = SVC_RESTART,
	};

	if (s->stopping)
		return err_set(e, -ESHUTDOWN, "the machine is shutting down");
	for (size_t i = 0; i < s->count; i++) {
		struct service *v = &s->services[i];

		if (strcmp(v->def->name, name))
			continue;
		v->failures = v->tries = 0; /* a person wants it now */
		apply(v, events[verb]);
		return 0;
	}
	return err_set(e, -ENOENT, "there is no service \"%s\"", name);
}

void supervisor_stop_all(struct supervisor *s)
{
	s->stopping = true;
	wake(s);
}

void supervisor_child_ended(struct supervisor *s, pid_t pid, int status)
{
	int exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);

	for (size_t i = 0; i < s->count; i++)
		if (s->services[i].pid == pid) {
			ended(&s->services[i], exit_code);
			return;
		}
}

void supervisor_tell_slow(const struct supervisor *s)
{
	int64_t now = clock_boot_ms();

	for (size_t i = 0; i < s->count; i++) {
		const struct service *v = &s->services[i];

		if (v->state == SVC_STARTING && !v->settled)
			say(v->def->name, "still at work, %lld s of at most %d s",
			    (long long)(now - v->started_ms) / 1000, v->def->start_ms / 1000);
	}
}

/* Failures of long ago are no fault of a service that runs well now. */
static unsigned failures_now(const struct service *v, int64_t now)
{
	return v->state == SVC_RUNNING && now - v->ready_ms >= SVC_STABLE_MS ? 0 : v->failures;
}

size_t supervisor_status(const struct supervisor *s, struct status_service *out, size_t room)
{
	size_t n = s->count < room ? s->count : room;
	int64_t now = clock_boot_ms();

	for (size_t i = 0; i < n; i++) {
		const struct service *v = &s->services[i];

		out[i] = (struct status_service){
			.name = v->def->name, .state = v->state, .console = v->def->console,
			.late = v->late, .pid = v->pid, .restarts = v->restarts,
			.failures = failures_now(v, now), .since_ms = v->since_ms, .took_ms = v->took_ms,
			.last_exit = v->last_exit,
		};
	}
	return n;
}

const char *supervisor_waits_for(const struct supervisor *s, int64_t *since_ms, int *grace_ms)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct service *v = &s->services[i];

		if (v->state != SVC_STOPPING)
			continue;
		*since_ms = v->since_ms;
		*grace_ms = v->def->stop_ms;
		return v->def->name;
	}
	return NULL;
}
