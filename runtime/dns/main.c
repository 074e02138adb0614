/* dns: the resolver of containers on networks of people's own. The engine starts it, hands it two
 * sockets of each container's network and tells it the names; it ends with the engine.
 *
 * On fd 3, a packet each: "S" and a container's id, with its UDP and its TCP socket; "T", with a
 * file that holds the names (names.h). It reads what containers send, so it is jailed from the
 * start. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "base/log.h"
#include "dns/serve.h"

enum { CONTROL_FD = 3, PACKET_MAX = 256, FDS_MAX = 2, NAMES_MAX_BYTES = 16 << 20 };

struct packet {
	char text[PACKET_MAX];
	int fds[FDS_MAX];
	size_t fd_count;
};

static void close_fds(struct packet *p)
{
	for (size_t i = 0; i < p->fd_count; i++)
		close(p->fds[i]);
	p->fd_count = 0;
}

static ssize_t receive(struct packet *p)
{
	char room[CMSG_SPACE(sizeof(p->fds))] __attribute__((aligned(__alignof__(struct cmsghdr))));
	struct iovec iov = { p->text, PACKET_MAX - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room,
			    .msg_controllen = sizeof(room) };
	ssize_t n = recvmsg(CONTROL_FD, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	p->fd_count = 0;
	if (n <= 0)
		return n;
	p->text[n] = '\0';
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		p->fd_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(p->fds, CMSG_DATA(c), p->fd_count * sizeof(int));
	}
	return n;
}

static int read_names(int fd, struct buf *out)
{
	char chunk[16384];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		buf_add(out, chunk, (size_t)n);
		at += n;
		if (at > NAMES_MAX_BYTES)
			return -EFBIG;
	}
	return n < 0 ? -errno : buf_ok(out) ? 0 : -ENOMEM;
}

static int take_names(struct server_state *s, int fd, struct err *e)
{
	autobuf struct buf text = { 0 };
	struct names *names;
	int rc = read_names(fd, &text);

	if (rc < 0)
		return err_code(e, rc, "read the names");
	rc = names_parse(buf_text(&text), &names, e);
	if (rc == 0)
		serve_names(s, names);
	return rc;
}

static int take(struct server_state *s, struct packet *p, struct err *e)
{
	if (p->text[0] == 'S' && p->fd_count == 2) {
		p->fd_count = 0; /* theirs now */
		return serve_add(s, p->text + 1, p->fds[0], p->fds[1]);
	}
	if (p->text[0] == 'T' && p->fd_count == 1)
		return take_names(s, p->fds[0], e);
	return err_set(e, -EPROTO, "the engine said what makes no sense");
}

static void on_control(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct packet p;
	struct err e = { 0 };
	ssize_t n;
	int rc;

	(void)fd;
	(void)events;
	while ((n = receive(&p)) > 0) {
		rc = take(arg, &p, &e);
		close_fds(&p);
		if (rc < 0) {
			log_error("%s", e.text[0] ? e.text : strerror(-rc));
			loop_stop(l, EXIT_FAILURE);
			return;
		}
	}
	if (n == 0 || errno != EAGAIN)
		loop_stop(l, EXIT_SUCCESS); /* the engine is gone, and starts another of us */
}

int main(void)
{
	struct server_state state = { .turn = 0 };
	struct err e = { 0 };
	int rc;

	log_name("dns");
	rc = loop_new(&state.loop, &e);
	if (!rc)
		rc = jail_enter(JAIL_RESOLVE, &e);
	if (!rc && !loop_fd(state.loop, CONTROL_FD, EPOLLIN, on_control, &state))
		rc = err_sys(&e, "the engine's socket");
	if (rc < 0) {
		log_error("%s", e.text);
		return EXIT_FAILURE;
	}
	rc = loop_run(state.loop);
	serve_free(&state);
	return rc < 0 ? EXIT_FAILURE : rc;
}
