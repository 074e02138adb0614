/* What code that reads hostile bytes may still do. A jail is a row in the table in jail.c: no new
 * privileges, no capabilities, no file system (Landlock, where the kernel has it), limits, and a
 * list of system calls; any other call kills the process.
 * Source: seccomp(2), landlock(7), capabilities(7). */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Names of the rows. */
#define JAIL_PARSE "parse" /* memory, and write to fds that are open: text in memory -> result */
#define JAIL_PROBE "probe" /* JAIL_PARSE, and read or seek in fds that are open */
#define JAIL_SEND "send" /* JAIL_PARSE, and read, for ever; connections to the outside */
#define JAIL_RESOLVE "resolve" /* JAIL_PROBE, and sockets: made, handed over, spoken through */
#define JAIL_UNPACK "unpack" /* JAIL_PROBE, with memory and time for an image's layers */
#define JAIL_TALK "talk" /* JAIL_PARSE, and wait for fds, read them, be given one more */

/* Locks the calling (single-threaded) process in, for good. Open fds stay. 0 or -errno; what the
 * kernel does not know (Landlock) is left out, everything else is an error. */
int jail_enter(const char *name, struct err *e);

/* Runs in the jail; writes its result to `out`. 0 or -errno. */
typedef int jail_fn(void *arg, struct buf *out, struct err *e);

struct jail_task {
	const char *jail;
	jail_fn *fn;
	void *arg;               /* read by the child from its copy of our memory */
	const int *keep_fds;     /* besides the pipe for the result; the others are closed */
	size_t keep_fd_count;
	size_t max_bytes;        /* a longer result is an error */
	int timeout_ms;
};

/* Runs `fn` in a child that holds the result pipe and keep_fds, and appends its result to `out`.
 * fn's own error comes back as it is; a child that was killed is one sentence with the reason. */
int jail_run(const struct jail_task *task, struct buf *out, struct err *e);
