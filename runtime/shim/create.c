#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/spawn.h"
#include "image/stack.h"
#include "shim/shim.h"

enum { SMALL_FILE_MAX = 4096 };

/* The root is mounted where only this process and the container can see it: nothing has to be
 * unmounted when they are gone, and nobody else's namespace keeps it busy. */
static int mount_root(struct shim *s, struct err *e)
{
	struct stack stack = { 0 };
	char target[PATH_MAX];
	int rc = stack_read(&stack, s->dir, "stack", e);

	if (rc < 0)
		return rc;
	snprintf(target, sizeof(target), "%s/rootfs", s->options->dir);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		rc = err_sys(e, "mount namespace");
	else if (mkdir(target, 0755) < 0 && errno != EEXIST)
		rc = err_sys(e, "make \"%s\"", target);
	else
		rc = stack_mount(&stack, target, e);
	stack_free(&stack);
	return rc;
}

static int open_pipe(int pipe_fds[2], int ours, struct err *e)
{
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	/* Our end only: what the container does with its own is its business. */
	fcntl(pipe_fds[ours], F_SETFL, O_NONBLOCK);
	return 0;
}

/* The runtime's last words, on what is the container's stderr afterwards. */
static int explain(int rc, int stderr_fd, struct err *e)
{
	char text[1024], *line;
	ssize_t n = read(stderr_fd, text, sizeof(text) - 1);

	if (n <= 0)
		return rc;
	text[n] = '\0';
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = '\0';
	line = strrchr(text, '\n');
	return err_set(e, rc, "%s", line ? line + 1 : text);
}

static int read_number(int dir, const char *name, pid_t *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_at(dir, name, SMALL_FILE_MAX, &text, e);

	if (rc < 0)
		return rc;
	*out = (pid_t)strtol(buf_text(&text), NULL, 10);
	return *out > 0 ? 0 : err_set(e, -EPROTO, "the runtime wrote no pid into \"%s\"", name);
}

/* "0::/containers/ID" of /proc/PID/cgroup; without it only the reason of an OOM kill is lost. */
static int open_cgroup(pid_t pid)
{
	autobuf struct buf text = { 0 };
	char path[PATH_MAX];
	const char *group;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (file_read_at(AT_FDCWD, path, SMALL_FILE_MAX, &text, NULL) < 0)
		return -1;
	group = strstr(buf_text(&text), "0::/");
	if (!group)
		return -1;
	group += strlen("0::");
	snprintf(path, sizeof(path), "/sys/fs/cgroup%.*s", (int)strcspn(group, "\n"), group);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int run(const char *const *argv, const int stdio[3], struct err *e)
{
	struct spawn_fd fds[3];
	struct spawn sp = { .argv = argv, .fds = fds };

	for (int i = 0; i < 3; i++)
		if (stdio[i] >= 0)
			fds[sp.fd_count++] = (struct spawn_fd){ stdio[i], i };
	return spawn_run(&sp, e);
}

static int run_create(struct shim *s, const int stdio[3], const char *console, struct err *e)
{
	const struct options *o = s->options;
	char bundle[PATH_MAX], pid_file[PATH_MAX];
	const char *create[] = { o->runtime, "create", "--bundle", bundle, "--pid-file", pid_file,
				 o->id, NULL, NULL, NULL };
	autofree const char **exec = NULL;

	snprintf(bundle, sizeof(bundle), "%s/bundle", o->dir);
	snprintf(pid_file, sizeof(pid_file), "%s/pid", o->dir);
	if (o->exec_args) {
		exec = exec_argv(o, pid_file, console);
		return exec ? run(exec, stdio, e) : err_set(e, -ENOMEM, "out of memory");
	}
	if (console) {
		create[6] = "--console-socket";
		create[7] = console;
		create[8] = o->id;
	}
	return run(create, stdio, e);
}

static int create_with_pipes(struct shim *s, struct err *e)
{
	int out[2] = { -1, -1 }, err_pipe[2] = { -1, -1 }, in[2] = { -1, -1 };
	int rc = open_pipe(out, 0, e);

	if (!rc)
		rc = open_pipe(err_pipe, 0, e);
	if (!rc && s->options->stdin_open)
		rc = open_pipe(in, 1, e);
	if (!rc) {
		rc = run_create(s, (const int[]){ in[0], out[1], err_pipe[1] }, NULL, e);
		if (rc < 0)
			rc = explain(rc, err_pipe[0], e);
	}
	/* The container holds its ends; ours would keep the pipes from ending. */
	cleanup_fd(&in[0]);
	cleanup_fd(&out[1]);
	cleanup_fd(&err_pipe[1]);
	s->outputs[LOG_STDOUT].fd = out[0];
	s->outputs[LOG_STDERR].fd = err_pipe[0];
	s->input.fd = in[1];
	return rc;
}

static int create_with_terminal(struct shim *s, struct err *e)
{
	int words[2] = { -1, -1 };
	char path[PATH_MAX];
	autoclose int listener = -1;
	int rc;

	snprintf(path, sizeof(path), "%s/console.sock", s->options->dir);
	listener = console_listen(path, e);
	rc = listener < 0 ? listener : open_pipe(words, 0, e);
	if (!rc) {
		rc = run_create(s, (const int[]){ -1, -1, words[1] }, path, e);
		if (rc < 0)
			rc = explain(rc, words[0], e);
	}
	if (!rc) {
		rc = console_receive(listener, e);
		s->outputs[LOG_STDOUT].fd = rc;
	}
	if (rc >= 0)
		fcntl(rc, F_SETFL, O_RDWR | O_NONBLOCK);
	/* A number of its own: it is watched apart from the output. */
	if (rc >= 0 && s->options->stdin_open)
		s->input.fd = fcntl(rc, F_DUPFD_CLOEXEC, 3);
	unlink(path);
	cleanup_fd(&words[0]);
	cleanup_fd(&words[1]);
	return rc < 0 ? rc : 0;
}

int shim_create(struct shim *s, struct err *e)
{
	int rc = s->options->exec_args ? 0 : mount_root(s, e);

	if (!rc)
		rc = s->options->tty ? create_with_terminal(s, e) : create_with_pipes(s, e);
	if (!rc)
		rc = read_number(s->dir, "pid", &s->pid, e);
	if (!rc && !s->options->exec_args)
		s->cgroup = open_cgroup(s->pid);
	return rc;
}

void shim_delete(struct shim *s)
{
	const char *argv[] = { s->options->runtime, "delete", "--force", s->options->id, NULL };
	struct spawn sp = { .argv = argv };

	if (!s->options->exec_args)
		spawn_run(&sp, NULL);
}
