/* Starts a program: one fork (clone3 with a pidfd, straight into its cgroup), one exec, and
 * an exec that failed is an error here, not an exit code 127 to guess at. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct spawn_fd {
	int from; /* an fd of ours */
	int to;   /* its number in the program; all other fds are closed there */
};

struct spawn {
	const char *const *argv;  /* NULL-terminated; argv[0] is the path, searched nowhere ... */
	const char *path;         /* ... unless this is */
	const char *const *envp;  /* NULL: ours */
	const struct spawn_fd *fds;
	size_t fd_count;          /* stdin, stdout, stderr not listed are /dev/null */
	bool inherit_stdio;       /* ... or ours */
	bool new_session;
	const char *cwd;          /* NULL: ours */
	int cgroup;               /* fd of a cgroup v2 directory; 0 or -1: ours */
	int oom_score_adj;        /* set when not 0 */
	/* Runs in the child last before exec (0 or -errno); only async-signal-safe calls. */
	int (*prepare)(void *arg);
	void *prepare_arg;
};

struct child {
	pid_t pid;
	int pidfd; /* owned by the caller; readable when the process has ended */
};

/* On success fills `out`. Signal mask and handlers are reset in the child. 0 or -errno. */
int spawn(const struct spawn *s, struct child *out, struct err *e);

/* The reset alone, for a process that execs by itself. */
void spawn_reset_signals(void);

/* Waits for the end and closes the pidfd. Returns the exit code, 128 + signal, or -errno. */
int spawn_wait(struct child *c);

/* spawn and spawn_wait; an exit code other than 0 is an error that names the program. */
int spawn_run(const struct spawn *s, struct err *e);
