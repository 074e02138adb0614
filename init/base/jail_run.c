/* A task in a jailed child, its result through a pipe: int32 code, then the result's bytes or
 * the error's sentence. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/jail.h"

static bool is_kept(const struct jail_task *task, int pipe_fd, int fd)
{
	bool kept = fd == pipe_fd;

	for (size_t i = 0; i < task->keep_fd_count; i++)
		kept = kept || task->keep_fds[i] == fd;
	return kept;
}

/* Closes the gaps between the kept fds, 0 to 2 included. */
static void close_others(const struct jail_task *task, int pipe_fd)
{
	int top = pipe_fd, from = 0;

	for (size_t i = 0; i < task->keep_fd_count; i++)
		if (task->keep_fds[i] > top)
			top = task->keep_fds[i];
	for (int fd = 0; fd <= top; fd++) {
		if (!is_kept(task, pipe_fd, fd))
			continue;
		if (fd > from)
			syscall(SYS_close_range, from, fd - 1, 0);
		from = fd + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

static _Noreturn void run_child(const struct jail_task *task, int pipe_fd)
{
	struct buf out = { 0 };
	struct err e = { "" };
	int32_t code;

	close_others(task, pipe_fd);
	code = jail_enter(task->jail, &e);
	if (code == 0)
		code = task->fn(task->arg, &out, &e);
	if (code == 0 && !buf_ok(&out))
		code = err_set(&e, -ENOMEM, "there is not enough memory");
	if (file_write_all(pipe_fd, &code, sizeof(code)) == 0) {
		if (code == 0)
			file_write_all(pipe_fd, out.data, out.len);
		else
			file_write_all(pipe_fd, e.text, strlen(e.text));
	}
	_exit(0);
}

/* 0 at the end of the stream; -ETIMEDOUT, -EFBIG. */
static int receive(int fd, const struct jail_task *task, struct buf *answer)
{
	int64_t deadline = clock_boot_ms() + task->timeout_ms;
	size_t limit = sizeof(int32_t) +
		       (task->max_bytes > ERR_TEXT_MAX ? task->max_bytes : ERR_TEXT_MAX);
	char chunk[16384];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_boot_ms();
		ssize_t n;

		if (left <= 0 || (poll(&p, 1, (int)left) == 0))
			return -ETIMEDOUT;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return buf_ok(answer) ? 0 : -ENOMEM;
		buf_add(answer, chunk, (size_t)n);
		if (answer->len > limit)
			return -EFBIG;
	}
}

static int judge(const struct jail_task *task, int received, int status,
		 const struct buf *answer, struct buf *out, struct err *e)
{
	int32_t code;

	if (received == -ETIMEDOUT)
		return err_set(e, received, "the \"%s\" jail gave no answer within %d ms",
			       task->jail, task->timeout_ms);
	if (received == -EFBIG)
		return err_set(e, received, "the answer of the \"%s\" jail is too long",
			       task->jail);
	if (received < 0)
		return err_code(e, received, "cannot read from the \"%s\" jail", task->jail);
	if (WIFSIGNALED(status))
		return err_set(e, -EIO, "the \"%s\" jail was ended by signal %d (%s)",
			       task->jail, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (answer->len < sizeof(code))
		return err_set(e, -EIO, "the \"%s\" jail ended without an answer", task->jail);
	memcpy(&code, answer->data, sizeof(code));
	if (code == 0) {
		buf_add(out, answer->data + sizeof(code), answer->len - sizeof(code));
		return buf_ok(out) ? 0 : -ENOMEM;
	}
	return err_set(e, code < 0 ? code : -EIO, "%s", answer->data + sizeof(code));
}

int jail_run(const struct jail_task *task, struct buf *out, struct err *e)
{
	autobuf struct buf answer = { 0 };
	int ends[2], received, status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		run_child(task, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_sys(e, "cannot start the \"%s\" jail", task->jail);
	}
	received = receive(ends[0], task, &answer);
	close(ends[0]);
	if (received < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return judge(task, received, status, &answer, out, e);
}
