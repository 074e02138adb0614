#include "logsend/sender.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "logsend/message.h"

enum { NAMES_MAX = 1024, WAIT_FIRST_S = 1, WAIT_MOST_S = 30, DEAD_AFTER_MS = 30000 };

struct name {
	char id[RECORD_NAME_MAX], name[RECORD_NAME_MAX];
};

struct sender {
	const struct settings *settings;
	int64_t booted_ns;
	int fd;       /* -1: not connected */
	bool told;    /* that the server is away */
	struct name names[NAMES_MAX];
	size_t name_count;
};

static int open_socket(const struct settings *s, struct err *e)
{
	static const int one = 1, dead_after_ms = DEAD_AFTER_MS;
	int fd = socket(s->to.any.sa_family, (s->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "make a socket");
	if (!s->tcp)
		return fd;
	/* A server that was switched off is noticed. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_after_ms, sizeof(dead_after_ms));
	if (connect(fd, &s->to.any, s->to_len) == 0)
		return fd;
	err_sys(e, "connect to the log server");
	close(fd);
	return -EIO;
}

/* Until it is there. */
static void connect_again(struct sender *w)
{
	unsigned wait_s = WAIT_FIRST_S;
	struct err e = { "" };

	while ((w->fd = open_socket(w->settings, &e)) < 0) {
		struct timespec pause = { .tv_sec = wait_s };

		if (!w->told)
			log_warn("%s; what is in the logs meanwhile is sent later", e.text);
		w->told = true;
		nanosleep(&pause, NULL);
		wait_s = wait_s * 2 > WAIT_MOST_S ? WAIT_MOST_S : wait_s * 2;
	}
	if (w->told)
		log_info("the log server is there again");
	w->told = false;
}

static void hang_up(struct sender *w)
{
	close(w->fd);
	w->fd = -1;
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* A server that has ended its side would take the next message into nothing. */
static bool has_ended(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void send_message(struct sender *w, const struct buf *message)
{
	const struct settings *s = w->settings;
	autobuf struct buf frame = { 0 };

	if (!s->tcp) {
		if (w->fd < 0)
			connect_again(w);
		sendto(w->fd, message->data, message->len, MSG_NOSIGNAL, &s->to.any, s->to_len);
		return;
	}
	buf_addf(&frame, "%zu ", message->len);
	buf_add(&frame, message->data, message->len);
	if (!buf_ok(&frame))
		return;
	do {
		if (w->fd >= 0 && has_ended(w->fd))
			hang_up(w);
		if (w->fd < 0)
			connect_again(w);
		if (send_all(w->fd, frame.data, frame.len))
			return;
		hang_up(w);
	} while (true);
}

/* ---- records ---- */

static struct name *find_name(struct sender *w, const char *id)
{
	for (size_t i = 0; i < w->name_count; i++)
		if (!strcmp(w->names[i].id, id))
			return &w->names[i];
	return NULL;
}

static void learn_name(struct sender *w, const char *id, const char *json, size_t len)
{
	struct name learnt = { 0 }, *n = find_name(w, id);

	if (!message_name(json, len, learnt.name))
		return;
	strcpy(learnt.id, id);
	if (!n) /* the oldest one makes room */
		n = &w->names[w->name_count < NAMES_MAX ? w->name_count++ : 0];
	*n = learnt;
}

static void take(struct sender *w, const struct record *r, const char *text)
{
	const struct name *n = r->kind == RECORD_CONTAINER ? find_name(w, r->name) : NULL;
	const struct message_of of = { .host = w->settings->host, .booted_ns = w->booted_ns,
				       .app = n ? n->name : r->name };
	autobuf struct buf message = { 0 };

	if (r->kind == RECORD_NAME)
		learn_name(w, r->name, text, r->len);
	else if (message_make(&of, r->kind, text, r->len, &message) && buf_ok(&message))
		send_message(w, &message);
}

static bool read_all(int fd, void *into, size_t len)
{
	char *at = into;

	while (len) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

int sender_run(const struct settings *s, int64_t booted_ns, int pipe_fd)
{
	static char text[CONTAINER_JSON_MAX + 1];
	autofree struct sender *w = calloc(1, sizeof(*w));
	struct record r;

	if (!w)
		return 1;
	*w = (struct sender){ .settings = s, .booted_ns = booted_ns, .fd = -1 };
	while (read_all(pipe_fd, &r, sizeof(r))) {
		r.name[sizeof(r.name) - 1] = '\0';
		if (r.len > CONTAINER_JSON_MAX || !read_all(pipe_fd, text, r.len))
			return 1;
		text[r.len] = '\0';
		take(w, &r, text);
	}
	return 0;
}
