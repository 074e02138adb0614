#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL };

struct loop_source {
	enum source_kind kind;
	bool dead;            /* removed; memory goes when the current turn ends */
	int fd;               /* SOURCE_FD */
	int sig;              /* SOURCE_SIGNAL */
	int64_t due_ms;       /* SOURCE_TIMER */
	union {
		loop_fd_fn *on_fd;
		loop_timer_fn *on_timer;
		loop_signal_fn *on_signal;
	};
	void *arg;
	struct loop_source *next;
};

struct loop {
	int epoll;
	int signals;          /* signalfd, -1 until the first loop_signal */
	sigset_t mask;
	struct loop_source *sources;
	bool stopped;
	int value;
};

int loop_new(struct loop **out, struct err *e)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return err_set(e, -ENOMEM, "event loop: out of memory");
	l->signals = -1;
	sigemptyset(&l->mask);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		int rc = err_sys(e, "event loop");

		free(l);
		return rc;
	}
	*out = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	while (l->sources) {
		struct loop_source *s = l->sources;

		l->sources = s->next;
		free(s);
	}
	if (l->signals >= 0)
		close(l->signals);
	close(l->epoll);
	free(l);
}

static struct loop_source *source_new(struct loop *l, enum source_kind kind, void *arg)
{
	struct loop_source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->kind = kind;
	s->arg = arg;
	s->fd = -1;
	s->next = l->sources;
	l->sources = s;
	return s;
}

struct loop_source *loop_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg)
{
	struct loop_source *s = source_new(l, SOURCE_FD, arg);
	struct epoll_event ev = { .events = events, .data.ptr = s };

	if (!s)
		return NULL;
	s->fd = fd;
	s->on_fd = fn;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		s->fd = -1;
		s->dead = true;
		return NULL;
	}
	return s;
}

int loop_fd_events(struct loop *l, struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl(l->epoll, EPOLL_CTL_MOD, s->fd, &ev) < 0 ? -errno : 0;
}

struct loop_source *loop_timer(struct loop *l, int64_t ms, loop_timer_fn *fn, void *arg)
{
	struct loop_source *s = source_new(l, SOURCE_TIMER, arg);

	if (!s)
		return NULL;
	s->due_ms = clock_boot_ms() + (ms > 0 ? ms : 0);
	s->on_timer = fn;
	return s;
}

static int watch_signal(struct loop *l, int sig)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	int fd;

	sigaddset(&l->mask, sig);
	if (sigprocmask(SIG_BLOCK, &l->mask, NULL) < 0)
		return -errno;
	fd = signalfd(l->signals, &l->mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (l->signals < 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		close(fd);
		return -errno;
	}
	l->signals = fd;
	return 0;
}

struct loop_source *loop_signal(struct loop *l, int sig, loop_signal_fn *fn, void *arg)
{
	struct loop_source *s;

	if (watch_signal(l, sig) < 0)
		return NULL;
	s = source_new(l, SOURCE_SIGNAL, arg);
	if (!s)
		return NULL;
	s->sig = sig;
	s->on_signal = fn;
	return s;
}

void loop_remove(struct loop *l, struct loop_source *s)
{
	if (!s || s->dead)
		return;
	s->dead = true;
	if (s->kind == SOURCE_FD)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL);
}

/* Only between turns: events of the current turn may still point at a dead source. */
static void sweep(struct loop *l)
{
	for (struct loop_source **p = &l->sources; *p;) {
		struct loop_source *s = *p;

		if (s->dead) {
			*p = s->next;
			free(s);
		} else {
			p = &s->next;
		}
	}
}

static int next_timeout_ms(const struct loop *l)
{
	int64_t now = clock_boot_ms(), least = -1;

	for (const struct loop_source *s = l->sources; s; s = s->next) {
		int64_t left;

		if (s->dead || s->kind != SOURCE_TIMER)
			continue;
		left = s->due_ms > now ? s->due_ms - now : 0;
		if (least < 0 || left < least)
			least = left;
	}
	return least > 3600000 ? 3600000 : (int)least;
}

static void fire_timers(struct loop *l)
{
	int64_t now = clock_boot_ms();

	for (struct loop_source *s = l->sources; s; s = s->next) {
		if (s->dead || s->kind != SOURCE_TIMER || s->due_ms > now)
			continue;
		s->dead = true;
		s->on_timer(l, s->arg);
	}
}

static void fire_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signals, &info, sizeof(info)) == sizeof(info))
		for (struct loop_source *s = l->sources; s; s = s->next)
			if (!s->dead && s->kind == SOURCE_SIGNAL && s->sig == (int)info.ssi_signo)
				s->on_signal(l, s->sig, s->arg);
}

int loop_run(struct loop *l)
{
	struct epoll_event events[32];

	l->stopped = false;
	while (!l->stopped) {
		int n = epoll_wait(l->epoll, events, ARRAY_LEN(events), next_timeout_ms(l));

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++) {
			struct loop_source *s = events[i].data.ptr;

			if (!s)
				fire_signals(l);
			else if (!s->dead)
				s->on_fd(l, s->fd, events[i].events, s->arg);
		}
		fire_timers(l);
		sweep(l);
	}
	return l->value;
}

void loop_stop(struct loop *l, int value)
{
	l->stopped = true;
	l->value = value;
}
