/* shim.sock: who connects is told "running PID" and sees the end; and may say one line,
 *   attach LETTERS BYTES   and the client's connection (SCM_RIGHTS), BYTES of stdin after the line
 *   resize ROWS COLUMNS
 * Only root reaches it; still, what is not understood ends the connection and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "shim/shim.h"

enum { LINE_ROOM = 64 };

static void let_go_of_control(struct client *c)
{
	loop_remove(c->shim->loop, take_ptr(c->source));
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void client_drop(struct client *c)
{
	let_go_of_control(c);
	attach_free(c);
	c->used = false;
}

/* A message and the connection that came with it. The sender sends it at once and the kernel keeps
 * it together: less than 32 KiB are one buffer. */
static ssize_t receive(int fd, char *text, size_t size, int *passed)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { text, size - 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(passed, CMSG_DATA(head), sizeof(*passed));
	if (n > 0)
		text[n] = '\0';
	return n;
}

static int attach(struct client *c, const char *line, const char *early, size_t early_len, int *fd)
{
	struct attach_wish wish;
	int rc = attach_parse(line, &wish);

	if (rc < 0 || *fd < 0 || wish.early != early_len || c->attached)
		return -EINVAL;
	rc = attach_client(c, *fd, &wish, early);
	if (!rc)
		take_fd(fd);
	return rc;
}

static int resize(struct client *c, const char *line)
{
	struct winsize size = { 0 };
	struct shim *s = c->shim;

	if (sscanf(line, "resize %hu %hu", &size.ws_row, &size.ws_col) != 2 || !s->options->tty)
		return -EINVAL;
	return ioctl(s->outputs[LOG_STDOUT].fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

static void on_message(struct client *c)
{
	char text[LINE_ROOM + ATTACH_EARLY_MAX];
	autoclose int fd = -1;
	ssize_t n = receive(c->fd, text, sizeof(text), &fd);
	char *end = n > 0 ? memchr(text, '\n', (size_t)n) : NULL;
	size_t rest;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!end && c->attached) {
		let_go_of_control(c);
		return;
	}
	if (end) {
		*end++ = '\0';
		rest = (size_t)(text + n - end);
		if (attach(c, text, end, rest, &fd) == 0)
			return;
		resize(c, text);
	}
	client_drop(c);
}

static void on_client(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)fd;
	(void)events;
	on_message(arg);
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
	while (c < s->clients + ARRAY_LEN(s->clients) && c->used)
		c++;
	if (c == s->clients + ARRAY_LEN(s->clients)) {
		close(fd);
		return;
	}
	/* Somebody who has said what he wanted and gone does not hear it. */
	send(fd, text, (size_t)len, MSG_NOSIGNAL);
	*c = (struct client){ .shim = s, .used = true, .fd = fd };
	c->source = loop_fd(l, fd, EPOLLIN | EPOLLRDHUP, on_client, c);
	if (!c->source)
		client_drop(c);
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

int shim_answer(struct shim *s, struct err *e)
{
	s->connects = loop_fd(s->loop, s->listener, EPOLLIN, on_connect, s);
	return s->connects ? 0 : err_sys(e, "answer on \"%s/shim.sock\"", s->options->dir);
}

void shim_let_go(struct shim *s)
{
	loop_remove(s->loop, take_ptr(s->connects));
	cleanup_fd(&s->listener);
	for (size_t i = 0; i < ARRAY_LEN(s->clients); i++)
		if (s->clients[i].used && !s->clients[i].attached)
			client_drop(&s->clients[i]);
}
