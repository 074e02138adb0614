/* A command that stays until its process ends: signals are passed on, a terminal is relayed between
 * the caller's and the container's, and the process's end becomes the command's exit code. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

#include "base/err.h"

struct foreground {
	int signals;	/* -1: not begun */
	int console[2]; /* a pair that the container's terminal is sent over; [1] is the child's */
	int master;	/* of the container's terminal; -1: none */
	bool raw;	/* `before` of the caller's is to be put back */
	struct termios before;
	bool input_ended;
	char data[4096]; /* from the caller, not yet taken by the container's terminal */
	size_t start, len;
};

#define FOREGROUND_INIT { .signals = -1, .console = { -1, -1 }, .master = -1 }

/* Before the process is made, so that no signal is missed. Signals stay blocked. */
int foreground_begin(struct foreground *f, bool terminal, struct err *e);

/* When the terminal has been sent, and before the program runs, which may ask for its size. */
int foreground_attach(struct foreground *f, struct err *e);

/* Passes on until `pid`, a child, has ended: its exit code, 128 + signal, or -errno.
 * `notify`: notify_listen's, or -1. */
int foreground_wait(struct foreground *f, pid_t pid, int pidfd, int notify, struct err *e);

/* Puts the caller's terminal back as it was. */
void foreground_end(struct foreground *f);
