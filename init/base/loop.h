/* The event loop: one epoll, fds, one-shot timers, signals, children. Single-threaded.
 * A callback may add and remove anything, itself included. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct loop;
struct loop_source; /* one registration; freed by loop_remove */

int loop_new(struct loop **out, struct err *e);
void loop_free(struct loop *l);

typedef void loop_fd_fn(struct loop *l, int fd, uint32_t events, void *arg);
typedef void loop_timer_fn(struct loop *l, void *arg);
typedef void loop_signal_fn(struct loop *l, int sig, void *arg);

/* The loop does not own the fd; remove the source before closing it. NULL with errno on failure. */
struct loop_source *loop_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg);
int loop_fd_events(struct loop *l, struct loop_source *s, uint32_t events);

/* Fires once after `ms`; it frees itself after the callback unless that calls loop_remove. */
struct loop_source *loop_timer(struct loop *l, int64_t ms, loop_timer_fn *fn, void *arg);

/* Blocks the signal and delivers it as a callback (signalfd). */
struct loop_source *loop_signal(struct loop *l, int sig, loop_signal_fn *fn, void *arg);

void loop_remove(struct loop *l, struct loop_source *s); /* NULL is fine */

/* Runs until loop_stop. Returns the value given to it, or -errno. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l, int value);
