#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "shim/shim.h"

static void end_output(struct output *o)
{
	loop_remove(o->shim->loop, take_ptr(o->source));
	lines_end(&o->lines, o->shim->log);
	cleanup_fd(&o->fd);
	o->fd = -1;
}

static void on_output(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct output *o = arg;
	ssize_t n = lines_read(&o->lines, fd, o->shim->log);

	(void)l;
	(void)events;
	/* A terminal whose last user has left says EIO. */
	if (n <= 0 && n != -EAGAIN)
		end_output(o);
}

/* When its first process has been reaped the kernel has killed all the others of the pid
 * namespace: what they wrote is in the pipes and nothing more will come. */
static void drain(struct output *o)
{
	while (o->fd >= 0 && lines_read(&o->lines, o->fd, o->shim->log) > 0)
		;
	if (o->fd >= 0)
		end_output(o);
}

/* Orphans of the runtime and of the container come to us as well: each is reaped. */
static void on_child(struct loop *l, int sig, void *arg)
{
	struct shim *s = arg;
	int status;
	pid_t pid;

	(void)sig;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->pid)
			continue;
		s->status = status;
		loop_stop(l, 0);
	}
	/* Gone without our having been its parent: then there is nothing to wait for. */
	if (pid < 0 && errno == ECHILD && kill(s->pid, 0) < 0 && errno == ESRCH)
		loop_stop(l, 0);
}

static void drop_client(struct shim *s, struct client *c)
{
	loop_remove(s->loop, c->source);
	close(c->fd);
	*c = (struct client){ 0 };
}

static void on_client(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct shim *s = arg;

	(void)l;
	(void)events;
	/* Clients have nothing to say: whatever comes is their end. */
	for (size_t i = 0; i < ARRAY_LEN(s->clients); i++)
		if (s->clients[i].fd == fd)
			drop_client(s, &s->clients[i]);
}

static void on_connect(struct loop *l, int listener, uint32_t events, void *arg)
{
	struct shim *s = arg;
	struct client *c = s->clients;
	char text[32];
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int len = snprintf(text, sizeof(text), "running %d\n", (int)s->pid);

	(void)events;
	if (fd < 0)
		return;
	while (c < s->clients + ARRAY_LEN(s->clients) && c->fd)
		c++;
	if (c == s->clients + ARRAY_LEN(s->clients) ||
	    send(fd, text, (size_t)len, MSG_NOSIGNAL) != len) {
		close(fd);
		return;
	}
	c->fd = fd;
	c->source = loop_fd(l, fd, EPOLLIN | EPOLLRDHUP, on_client, s);
}

int shim_listen(struct shim *s, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* By way of the fd: a socket's path has 108 bytes, the directory's may have more. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/shim.sock", s->dir);
	unlink(addr.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 16) < 0)
		return err_sys(e, "listen on \"%s/shim.sock\"", s->options->dir);
	s->listener = take_fd(&fd);
	return 0;
}

static int watch_outputs(struct shim *s, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(s->outputs); i++) {
		struct output *o = &s->outputs[i];

		if (o->fd < 0)
			continue;
		o->source = loop_fd(s->loop, o->fd, EPOLLIN, on_output, o);
		if (!o->source)
			return err_sys(e, "watch the container's output");
	}
	return 0;
}

int shim_watch(struct shim *s, struct err *e)
{
	int rc = watch_outputs(s, e);

	if (rc < 0)
		return rc;
	if (!loop_signal(s->loop, SIGCHLD, on_child, s) ||
	    !loop_fd(s->loop, s->listener, EPOLLIN, on_connect, s))
		return err_sys(e, "watch the container");
	/* It may have ended before the signal was watched. */
	raise(SIGCHLD);
	rc = loop_run(s->loop);
	for (size_t i = 0; i < ARRAY_LEN(s->outputs); i++)
		drain(&s->outputs[i]);
	return rc < 0 ? err_code(e, rc, "watch the container") : 0;
}
