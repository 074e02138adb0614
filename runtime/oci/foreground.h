/* A command that stays until its process ends: signals are passed on, a terminal is relayed between
 * the caller's and the container's, and the process's end becomes the command's exit code. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct foreground {
	int signals;	/* -1: not begun */
	int console[2]; /* a pair that the container's terminal is sent over; [1] is the child's */
};

#define FOREGROUND_INIT { .signals = -1, .console = { -1, -1 } }

/* Before the process is made, so that no signal is missed. Signals stay blocked. */
int foreground_begin(struct foreground *f, bool terminal, struct err *e);

/* Passes on until `pid`, a child, has ended: its exit code, 128 + signal, or -errno.
 * `notify`: notify_listen's, or -1. */
int foreground_wait(struct foreground *f, pid_t pid, int pidfd, int notify, struct err *e);

void foreground_end(struct foreground *f);

#define autoforeground __attribute__((cleanup(foreground_end)))
