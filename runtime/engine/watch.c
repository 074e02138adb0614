/* Holding on to a live container: a connection to its shim, which ends when it ends, and a pidfd
 * of its first process, through which every signal goes (a pid may be somebody else's by now). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "engine/internal.h"
#include "yyjson.h"

enum { SHIM_ANSWER_MS = 5000, EXIT_FILE_MAX = 4096, UNKNOWN_EXIT = 255 };

static void on_shim_gone(struct loop *l, int fd, uint32_t events, void *arg);

/* Socket paths are short (108 bytes), run directories need not be: so by way of an fd. */
int watch_connect_in(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	autoclose int dir = -1;
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || dir < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/shim.sock", dir);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return take_fd(&fd);
}

int watch_connect(const struct container *c)
{
	char path[PATH_MAX];

	container_run_dir(c, "", path, sizeof(path));
	return watch_connect_in(path);
}

bool watch_hung_up(int fd)
{
	char text[64];
	ssize_t n;

	do
		n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 || errno != EAGAIN;
}

int watch_say(const char *dir, const char *text, size_t len, int pass)
{
	autoclose int fd = watch_connect_in(dir);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec io = { (void *)(uintptr_t)text, len };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	if (fd < 0)
		return fd;
	if (pass >= 0) {
		memcpy(CMSG_DATA(&control.header), &pass, sizeof(pass));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
	}
	if (sendmsg(fd, &m, MSG_NOSIGNAL) != (ssize_t)len)
		return -EPIPE;
	return take_fd(&fd);
}

int watch_read_pid(int fd, pid_t *pid)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char line[64];
	size_t len = 0;
	int64_t until = clock_boot_ms() + SHIM_ANSWER_MS;

	while (len < sizeof(line) - 1) {
		int64_t left = until - clock_boot_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return -ETIMEDOUT;
		n = read(fd, line + len, 1);
		if (n <= 0)
			return -ECONNRESET;
		if (line[len++] != '\n')
			continue;
		line[len] = '\0';
		return sscanf(line, "running %d", pid) == 1 && *pid > 0 ? 0 : -EPROTO;
	}
	return -EPROTO;
}

int watch_attach(struct container *c, struct err *e)
{
	autoclose int fd = watch_connect(c);
	autoclose int pidfd = -1;
	pid_t pid;
	int rc;

	if (fd < 0)
		return err_code(e, fd, "connect to the container's shim");
	rc = watch_read_pid(fd, &pid);
	if (rc < 0)
		return err_code(e, rc, "the container's shim does not answer");
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* The shim reaps it before it hangs up, so a hang-up that is here already tells that the pid
	 * may be another's: then there is no pidfd, and the end is told by the socket at once. */
	if (pidfd >= 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };

		if (poll(&p, 1, 0) > 0) {
			close(pidfd);
			pidfd = -1;
		}
	}
	c->shim_source = loop_fd(c->engine->loop, fd, EPOLLIN | EPOLLRDHUP, on_shim_gone, c);
	if (!c->shim_source)
		return err_sys(e, "watch the container's shim");
	c->shim_fd = take_fd(&fd);
	c->pidfd = take_fd(&pidfd);
	c->pid = pid;
	return 0;
}

void watch_detach(struct container *c)
{
	loop_remove(c->engine->loop, take_ptr(c->shim_source));
	if (c->shim_fd >= 0)
		close(c->shim_fd);
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->shim_fd = c->pidfd = -1;
	c->pid = 0;
}

int watch_signal(const struct container *c, int sig)
{
	if (c->pidfd < 0)
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, c->pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

static int put_cgroup(const struct container *c, const char *file, const char *text, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/containers/%s/%s", c->engine->paths.cgroups, c->id, file);
	return file_put_at(AT_FDCWD, path, text, e);
}

void watch_kill_cgroup(const struct container *c)
{
	put_cgroup(c, "cgroup.kill", "1", NULL);
}

int watch_freeze(const struct container *c, bool freeze, struct err *e)
{
	return put_cgroup(c, "cgroup.freeze", freeze ? "1" : "0", e);
}

/* What the shim would have cleaned up, had it lived. */
void watch_clean_runtime(struct container *c)
{
	const char *argv[] = { c->engine->paths.runtime, "delete", "--force", c->id, NULL };
	struct spawn s = { .argv = argv };
	struct err e = { 0 };

	watch_kill_cgroup(c);
	if (spawn_run(&s, &e) < 0)
		log_warn("container \"%s\": %s", c->name, e.text);
}

struct exit_record {
	int64_t status, finished_ns;
	bool oom, late;
};

static int read_exit(const char *dir, struct exit_record *out)
{
	autobuf struct buf text = { 0 };
	char path[PATH_MAX];
	yyjson_doc *doc;
	yyjson_val *root;

	snprintf(path, sizeof(path), "%s/exit", dir);
	if (file_read_at(AT_FDCWD, path, EXIT_FILE_MAX, &text, NULL) < 0)
		return -ENOENT;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	root = yyjson_doc_get_root(doc);
	out->status = yyjson_get_sint(yyjson_obj_get(root, "status"));
	out->finished_ns = yyjson_get_sint(yyjson_obj_get(root, "finished_ns"));
	out->oom = yyjson_get_bool(yyjson_obj_get(root, "oom"));
	out->late = yyjson_get_bool(yyjson_obj_get(root, "late"));
	yyjson_doc_free(doc);
	return root ? 0 : -EINVAL;
}

int watch_exit_code(const char *dir, int64_t *code, bool *late)
{
	struct exit_record r;
	int rc = read_exit(dir, &r);

	if (!rc)
		*code = r.status;
	if (!rc && late)
		*late = r.late;
	return rc;
}

/* The shim is gone: with a record of the exit, or without, when somebody killed it. */
void watch_ended(struct container *c)
{
	struct exit_record r = { .status = UNKNOWN_EXIT };
	struct ending how = { .retry = true };
	char dir[PATH_MAX];

	container_run_dir(c, "", dir, sizeof(dir));
	if (read_exit(dir, &r) < 0) {
		how.error = "the container's shim was killed, and the container with it";
		watch_signal(c, SIGKILL);
		watch_clean_runtime(c);
	}
	watch_detach(c);
	how.exit_code = r.status;
	how.oom_killed = r.oom;
	how.finished_ns = r.finished_ns ? r.finished_ns : clock_wall_ns();
	lifecycle_ended(c, &how);
}

static void on_shim_gone(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct container *c = arg;
	char rest[64];
	ssize_t n = read(fd, rest, sizeof(rest));

	(void)events;
	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return;
	/* A container can be over before the runtime's "start" has returned. */
	loop_remove(l, take_ptr(c->shim_source));
	if (!start_holds_exit(c))
		watch_ended(c);
}
