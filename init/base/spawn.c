#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { FD_LIMIT = 64 };

extern char **environ;

/* Two passes: first every source moves above all targets, so that no target overwrites a
 * source that is still needed, then each lands on its number. */
static int place_fds(const struct spawn *s, int status)
{
	int moved[FD_LIMIT];
	int top = 3;

	for (size_t i = 0; i < s->fd_count; i++)
		if (s->fds[i].to >= top)
			top = s->fds[i].to + 1;
	for (size_t i = 0; i < s->fd_count; i++) {
		moved[i] = fcntl(s->fds[i].from, F_DUPFD_CLOEXEC, top);
		if (moved[i] < 0)
			return -errno;
	}
	status = fcntl(status, F_DUPFD_CLOEXEC, top);
	if (status < 0)
		return -errno;
	for (int fd = 0; fd < 3 && !s->inherit_stdio; fd++) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (null < 0 || (null == fd ? fcntl(fd, F_SETFD, 0) : dup2(null, fd)) < 0)
			return -errno;
	}
	for (size_t i = 0; i < s->fd_count; i++)
		if (dup2(moved[i], s->fds[i].to) < 0)
			return -errno;
	/* Everything that was not asked for goes at exec. */
	for (int fd = 3, next; fd < top; fd = next) {
		bool wanted = false;

		next = fd + 1;
		for (size_t i = 0; i < s->fd_count; i++)
			wanted |= s->fds[i].to == fd;
		if (!wanted)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	if (syscall(SYS_close_range, (unsigned int)top, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) < 0 &&
	    errno != ENOSYS)
		return -errno;
	return status;
}

void spawn_reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int set_oom_score(int score)
{
	char text[16];
	autoclose int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	int len = snprintf(text, sizeof(text), "%d", score);

	if (fd < 0 || write(fd, text, (size_t)len) != len)
		return -errno;
	return 0;
}

static _Noreturn void child_exec(const struct spawn *s, int status)
{
	int rc = place_fds(s, status);

	if (rc >= 0) {
		status = rc;
		rc = 0;
	}
	spawn_reset_signals();
	if (!rc && s->new_session && setsid() < 0)
		rc = -errno;
	if (!rc && s->oom_score_adj)
		rc = set_oom_score(s->oom_score_adj);
	if (!rc && s->cwd && chdir(s->cwd) < 0)
		rc = -errno;
	if (!rc && s->prepare)
		rc = s->prepare(s->prepare_arg);
	if (!rc) {
		execve(s->path ? s->path : s->argv[0], (char *const *)s->argv,
		       s->envp ? (char *const *)s->envp : environ);
		rc = -errno;
	}
	/* The parent reads this; when it cannot be written the exit code still says failure. */
	if (write(status, &rc, sizeof(rc)) != sizeof(rc))
		_exit(126);
	_exit(127);
}

/* Behind a seccomp filter clone3 is mostly "not implemented", since a filter cannot see its
 * flags. */
static pid_t fork_child(int *pidfd)
{
	pid_t pid = fork();

	if (pid > 0)
		*pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return pid;
}

static pid_t clone_child(const struct spawn *s, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (s->cgroup > 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)s->cgroup;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	return pid < 0 && errno == ENOSYS && s->cgroup <= 0 ? fork_child(pidfd) : pid;
}

int spawn(const struct spawn *s, struct child *out, struct err *e)
{
	sigset_t all, before;
	int status[2];
	int pidfd = -1;
	int failed = 0;
	pid_t pid;
	ssize_t n;

	if (s->fd_count > FD_LIMIT)
		return err_set(e, -E2BIG, "start \"%s\": too many fds", s->argv[0]);
	if (pipe2(status, O_CLOEXEC) < 0)
		return err_sys(e, "start \"%s\"", s->argv[0]);
	/* No handler of ours may run in the child before it has reset them. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = clone_child(s, &pidfd);
	if (pid == 0)
		child_exec(s, status[1]);
	failed = pid < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(status[1]);
	if (failed) {
		close(status[0]);
		return err_code(e, failed, "start \"%s\"", s->argv[0]);
	}
	do
		n = read(status[0], &failed, sizeof(failed));
	while (n < 0 && errno == EINTR);
	close(status[0]);
	if (n == sizeof(failed)) {
		struct child dead = { .pid = pid, .pidfd = pidfd };

		spawn_wait(&dead);
		return err_code(e, failed, "start \"%s\"", s->argv[0]);
	}
	*out = (struct child){ .pid = pid, .pidfd = pidfd };
	return 0;
}

int spawn_wait(struct child *c)
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(c->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		status = -errno;
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
	if (pid < 0)
		return status;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int spawn_run(const struct spawn *s, struct err *e)
{
	struct child c;
	int rc = spawn(s, &c, e);

	if (rc < 0)
		return rc;
	rc = spawn_wait(&c);
	if (rc < 0)
		return err_code(e, rc, "wait for \"%s\"", s->argv[0]);
	if (rc > 128)
		return err_set(e, -EIO, "\"%s\" was killed by signal %d", s->argv[0], rc - 128);
	if (rc > 0)
		return err_set(e, -EIO, "\"%s\" ended with exit code %d", s->argv[0], rc);
	return 0;
}
