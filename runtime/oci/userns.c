#include "oci/userns.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/namespaces.h"
#include "oci/sys.h"

enum { MAP_MAX_BYTES = 64 * 1024 };

/* A process that is in the namespace and does nothing. `join`: -1 for a new one. */
struct holder {
	pid_t pid;
};

static void holder_end(struct holder *h)
{
	if (h->pid <= 0)
		return;
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
}

static _Noreturn void hold(int join, int ready, pid_t runtime)
{
	/* Must not outlive a runtime that is killed, whose lock it holds; which may have been already. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != runtime)
		_exit(1);
	if (join >= 0 && setns(join, CLONE_NEWUSER) < 0)
		_exit(1);
	if (write(ready, "", 1) == 1)
		for (;;)
			pause();
	_exit(1);
}

static int holder_start(struct holder *h, int join, struct err *e)
{
	struct clone_args args = { .flags = join < 0 ? CLONE_NEWUSER : 0, .exit_signal = SIGCHLD };
	pid_t runtime = getpid();
	autoclose int wait = -1;
	char word;
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	wait = pipe_fds[0];
	h->pid = (pid_t)sys_clone3(&args);
	if (h->pid == 0)
		hold(join, pipe_fds[1], runtime);
	close(pipe_fds[1]);
	if (h->pid < 0)
		return err_sys(e, "make a user namespace");
	return read(wait, &word, 1) == 1 ? 0 : err_set(e, -EPERM, "enter the user namespace");
}

int userns_make(const struct oci_mapping_list *uids, const struct oci_mapping_list *gids,
		struct err *e)
{
	__attribute__((cleanup(holder_end))) struct holder h = { 0 };
	char path[64];
	int rc = holder_start(&h, -1, e), fd;

	if (!rc)
		rc = namespaces_map(uids, gids, h.pid, e);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", h.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open a user namespace") : fd;
}

static int read_map(pid_t pid, const char *file, struct oci_mapping_list *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	unsigned int inside, outside, size;
	char path[64];
	const char *p;
	int used, rc;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	rc = file_read_at(AT_FDCWD, path, MAP_MAX_BYTES, &text, e);
	if (rc < 0)
		return rc;
	for (p = buf_text(&text); sscanf(p, " %u %u %u%n", &inside, &outside, &size, &used) == 3;
	     p += used) {
		struct oci_mapping *m = record_list_add(out, sizeof(*m));

		if (!m)
			return err_set(e, -ENOMEM, "out of memory");
		*m = (struct oci_mapping){ inside, outside, size };
	}
	return out->count ? 0 : err_set(e, -EINVAL, "the user namespace has no mapping");
}

int userns_read(const char *path, struct oci_mapping_list *uids, struct oci_mapping_list *gids,
		struct err *e)
{
	__attribute__((cleanup(holder_end))) struct holder h = { 0 };
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc = fd < 0 ? err_sys(e, "join user namespace \"%s\"", path) : holder_start(&h, fd, e);

	if (!rc)
		rc = read_map(h.pid, "uid_map", uids, e);
	if (!rc)
		rc = read_map(h.pid, "gid_map", gids, e);
	if (rc < 0)
		err_prefix(e, "linux.namespaces: user namespace \"%s\"", path);
	return rc;
}
