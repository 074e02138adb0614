#include "pid1/control.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { CLIENTS_MAX = 16, PATIENCE_MS = 5000 };

struct client {
	int fd; /* -1: free */
	struct loop_source *source, *patience;
	char line[REQUEST_LINE_MAX];
	size_t len;
	struct buf answer;
};

static struct client clients[CLIENTS_MAX];
static control_fn *answer_fn;
static void *answer_arg;

static void drop(struct loop *l, struct client *c)
{
	loop_remove(l, c->source);
	loop_remove(l, c->patience);
	close(c->fd);
	buf_free(&c->answer);
	*c = (struct client){ .fd = -1 };
}

static void on_patience(struct loop *l, void *arg)
{
	struct client *c = arg;

	c->patience = NULL;
	drop(l, c);
}

static void send_answer(struct loop *l, struct client *c)
{
	while (c->answer.len) {
		ssize_t n = send(c->fd, c->answer.data, c->answer.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			loop_fd_events(l, c->source, EPOLLOUT);
			return;
		}
		if (n <= 0)
			break;
		buf_consume(&c->answer, (size_t)n);
	}
	drop(l, c);
}

static void answer(struct client *c, size_t line_len)
{
	struct request r;
	struct err e = { 0 };

	if (request_parse(c->line, line_len, &r, &e) < 0)
		buf_addf(&c->answer, "error: %s\n", e.text);
	else
		answer_fn(&r, &c->answer, answer_arg);
}

static void receive(struct loop *l, struct client *c)
{
	ssize_t n = recv(c->fd, c->line + c->len, sizeof(c->line) - c->len, 0);
	const char *end;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		drop(l, c);
		return;
	}
	c->len += (size_t)n;
	end = memchr(c->line, '\n', c->len);
	/* A last line may lack its end, when the client has said that nothing more comes. */
	if (!end && n > 0 && c->len < sizeof(c->line))
		return;
	answer(c, end ? (size_t)(end - c->line) : c->len);
	send_answer(l, c);
}

static void on_client(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct client *c = arg;

	(void)fd;
	if (c->answer.len)
		send_answer(l, c);
	else if (events & EPOLLIN)
		receive(l, c);
	else
		drop(l, c);
}

static bool is_root(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) && who.uid == 0;
}

static struct client *free_slot(void)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (clients[i].fd < 0)
			return &clients[i];
	return NULL;
}

static void refuse(int fd, const char *why)
{
	send(fd, why, strlen(why), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_connect(struct loop *l, int listener, uint32_t events, void *arg)
{
	autoclose int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = free_slot();

	(void)events;
	(void)arg;
	if (fd < 0)
		return;
	if (!is_root(fd)) {
		refuse(fd, "error: only root may talk to PID 1\n");
		return;
	}
	if (!c) {
		refuse(fd, "error: too many clients at once, try again\n");
		return;
	}
	c->source = loop_fd(l, fd, EPOLLIN, on_client, c);
	if (!c->source)
		return;
	c->patience = loop_timer(l, PATIENCE_MS, on_patience, c);
	c->fd = take_fd(&fd);
}

int control_listen(struct loop *l, const char *path, control_fn *answer_request, void *arg,
		   struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	for (int i = 0; i < CLIENTS_MAX; i++)
		clients[i].fd = -1;
	answer_fn = answer_request;
	answer_arg = arg;
	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(e, -ENAMETOOLONG, "listen on \"%s\": name too long", path);
	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(path, 0600) < 0 || listen(fd, CLIENTS_MAX) < 0)
		return err_sys(e, "listen on \"%s\"", path);
	if (!loop_fd(l, fd, EPOLLIN, on_connect, NULL))
		return err_sys(e, "watch \"%s\"", path);
	take_fd(&fd);
	return 0;
}
