#include "shim/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "shim/shim.h"

enum { READ_MAX = 16 * 1024, FRAME_HEAD = 8 };

struct attached {
	struct client *client;
	int fd;
	struct loop_source *source;  /* NULL: it has hung up, and its last bytes are read still */
	struct loop_source *timer;   /* runs while it holds the others up */
	struct buf out;              /* what it has not taken */
	bool wants[2];               /* stdout, stderr */
	bool reading;                /* its stdin is open */
	bool patient;
};

int attach_parse(const char *line, struct attach_wish *out)
{
	struct attach_wish wish = { 0 };
	char letters[8];
	int used = 0;

	if (sscanf(line, "attach %7[ioep] %zu%n", letters, &wish.early, &used) != 2 ||
	    line[used] || wish.early > ATTACH_EARLY_MAX)
		return -EINVAL;
	wish.in = strchr(letters, 'i') != NULL;
	wish.out = strchr(letters, 'o') != NULL;
	wish.err = strchr(letters, 'e') != NULL;
	wish.patient = strchr(letters, 'p') != NULL;
	*out = wish;
	return 0;
}

static void update(struct attached *a);

/* Nobody's output is read while a client holds more than its room. */
static void update_pause(struct shim *s)
{
	bool full = false;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].attached && s->clients[i].attached->out.len > ATTACH_ROOM)
			full = true;
	if (full != s->paused)
		shim_pause_output(s, full);
}

static void on_stuck(struct loop *l, void *arg)
{
	struct attached *a = arg;
	struct shim *s = a->client->shim;

	a->timer = NULL;
	client_drop(a->client);
	update_pause(s);
	if (s->finishing)
		loop_stop(l, 0);
}

static void update_timer(struct attached *a, bool progress)
{
	struct loop *l = a->client->shim->loop;
	bool needed = a->out.len > ATTACH_ROOM && !a->patient;

	if (a->timer && (progress || !needed))
		loop_remove(l, take_ptr(a->timer));
	if (needed && !a->timer)
		a->timer = loop_timer(l, ATTACH_STUCK_MS, on_stuck, a);
}

/* False: the client is gone. */
static bool flush(struct attached *a)
{
	ssize_t n = 0;

	if (a->out.len && a->source)
		n = send(a->fd, a->out.data, a->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (n > 0 && (size_t)n == a->out.len)
		buf_free(&a->out);
	else if (n > 0)
		buf_consume(&a->out, (size_t)n);
	update_timer(a, n > 0);
	return true;
}

static void input_ended(struct attached *a)
{
	struct shim *s = a->client->shim;

	a->reading = false;
	/* A terminal has no end of its own: its users type one. */
	if (s->options->stdin_once && !s->options->tty)
		stdin_close(s);
}

/* Once. False: there is nothing to read any more, or for now. */
static bool read_input(struct attached *a)
{
	char data[READ_MAX];
	ssize_t n = recv(a->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n > 0) {
		stdin_write(a->client->shim, data, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		input_ended(a);
	return false;
}

/* The other side is closed altogether: only what it sent before is of use. */
static void hang_up(struct attached *a)
{
	struct shim *s = a->client->shim;

	loop_remove(s->loop, take_ptr(a->source));
	buf_free(&a->out);
	update_timer(a, true);
	while (a->reading && !s->input.pending.len && read_input(a))
		;
	if (!a->reading)
		client_drop(a->client);
}

static void on_attached(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct attached *a = arg;
	struct shim *s = a->client->shim;

	(void)fd;
	if (events & (EPOLLHUP | EPOLLERR)) {
		hang_up(a);
	} else {
		if ((events & EPOLLIN) && a->reading && !s->input.pending.len)
			read_input(a);
		if (!flush(a))
			hang_up(a);
		else
			update(a);
	}
	update_pause(s);
	if (s->finishing)
		loop_stop(l, 0);
}

static void update(struct attached *a)
{
	struct shim *s = a->client->shim;
	bool in = a->reading && !s->input.pending.len;

	if (a->source)
		loop_fd_events(s->loop, a->source,
			       (in ? EPOLLIN : 0u) | (a->out.len ? EPOLLOUT : 0u));
}

void attach_update(struct shim *s)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct attached *a = s->clients[i].attached;

		if (a && !a->source)
			hang_up(a);
		else if (a)
			update(a);
	}
}

int attach_client(struct client *c, int fd, const struct attach_wish *wish, const char *early)
{
	struct attached *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->client = c;
	a->fd = fd;
	a->wants[LOG_STDOUT] = wish->out;
	a->wants[LOG_STDERR] = wish->err;
	a->reading = wish->in && c->shim->options->stdin_open;
	a->patient = wish->patient;
	a->source = loop_fd(c->shim->loop, fd, a->reading ? EPOLLIN : 0u, on_attached, a);
	if (!a->source) {
		free(a);
		return -errno;
	}
	c->attached = a;
	if (a->reading)
		stdin_write(c->shim, early, wish->early);
	if (c->shim->awaiting_client)
		loop_stop(c->shim->loop, 0);
	return 0;
}

void attach_free(struct client *c)
{
	struct attached *a = take_ptr(c->attached);

	if (!a)
		return;
	loop_remove(c->shim->loop, a->source);
	loop_remove(c->shim->loop, a->timer);
	buf_free(&a->out);
	close(a->fd);
	free(a);
}

static void add_frame(struct buf *out, enum log_stream stream, const char *data, size_t len)
{
	const unsigned char head[FRAME_HEAD] = {
		stream == LOG_STDERR ? 2 : 1, 0, 0, 0, (unsigned char)(len >> 24),
		(unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len,
	};

	buf_add(out, head, sizeof(head));
	buf_add(out, data, len);
}

static void give(struct attached *a, enum log_stream stream, const char *data, size_t len)
{
	if (a->client->shim->options->tty)
		buf_add(&a->out, data, len);
	else
		add_frame(&a->out, stream, data, len);
	/* Out of memory: a hole in a stream is worse than its end. */
	if (!buf_ok(&a->out) || !flush(a))
		hang_up(a);
	else
		update(a);
}

void attach_output(struct shim *s, enum log_stream stream, const char *data, size_t len)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct attached *a = s->clients[i].attached;

		if (a && a->source && a->wants[stream])
			give(a, stream, data, len);
	}
	update_pause(s);
}

void attach_finish(struct shim *s)
{
	bool left = true;

	s->finishing = true;
	while (left) {
		left = false;
		for (size_t i = 0; i < CLIENTS_MAX; i++) {
			struct attached *a = s->clients[i].attached;

			if (a && (!a->out.len || !a->source))
				client_drop(&s->clients[i]);
			else if (a)
				left = true;
		}
		if (left && loop_run(s->loop) < 0)
			return;
	}
}
