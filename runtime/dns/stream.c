/* Questions over TCP (RFC 7766): each with its length before it, one after another. What is not
 * known here is asked outside over TCP as well, so that large answers come through whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dns/forward.h"
#include "dns/message.h"
#include "dns/serve.h"

enum { STREAMS_MOST = 16, IDLE_MS = 30000, PATIENCE_MS = 5000, PREFIX = 2, OUT_MOST = 1 << 18 };

struct stream {
	struct stream *next;
	struct served *served;
	int fd;
	struct loop_source *source, *timer;
	struct buf in, out;
	/* the question that others are asked */
	bool busy;
	struct servers servers;
	size_t tries;
	int outside;
	struct loop_source *outside_source;
	struct buf asked, answer;
};

static void proceed(struct stream *t);
static void ask_next(struct stream *t);

static void stop_asking(struct stream *t)
{
	loop_remove(t->served->state->loop, take_ptr(t->outside_source));
	if (t->outside >= 0)
		close(take_fd(&t->outside));
	buf_reset(&t->answer);
}

static void stream_free(struct stream *t)
{
	struct stream **at = &t->served->streams;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->served->stream_count--;
	stop_asking(t);
	loop_remove(t->served->state->loop, t->source);
	loop_remove(t->served->state->loop, t->timer);
	close(t->fd);
	buf_free(&t->in);
	buf_free(&t->out);
	buf_free(&t->asked);
	buf_free(&t->answer);
	free(t);
}

void stream_free_all(struct served *c)
{
	while (c->streams)
		stream_free(c->streams);
}

static void on_timer(struct loop *l, void *arg)
{
	struct stream *t = arg;

	(void)l;
	t->timer = NULL;
	if (t->busy)
		ask_next(t);
	else
		stream_free(t);
}

static void wait_for(struct stream *t, int64_t ms)
{
	loop_remove(t->served->state->loop, t->timer);
	t->timer = loop_timer(t->served->state->loop, ms, on_timer, t);
}

static void add_answer(struct stream *t, const void *bytes, size_t len)
{
	uint8_t prefix[PREFIX] = { (uint8_t)(len >> 8), (uint8_t)len };

	buf_add(&t->out, prefix, PREFIX);
	buf_add(&t->out, bytes, len);
}

static void answer_with_failure(struct stream *t)
{
	const uint8_t *query = (const uint8_t *)t->asked.data + PREFIX;
	autobuf struct buf none = { 0 };
	struct dns_query q;

	if (dns_query_read(query, t->asked.len - PREFIX, &q) == DNS_OK) {
		dns_answer_empty(&none, query, &q, DNS_SERVER_FAILURE);
		add_answer(t, none.data, none.len);
	}
}

static void asked_enough(struct stream *t)
{
	stop_asking(t);
	buf_reset(&t->asked);
	t->busy = false;
	proceed(t);
}

/* A whole message with its length before it? */
static bool whole(const struct buf *b, size_t *len)
{
	if (b->len < PREFIX)
		return false;
	*len = (size_t)((uint8_t)b->data[0] << 8 | (uint8_t)b->data[1]);
	return b->len >= PREFIX + *len;
}

static void on_outside(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct stream *t = arg;
	char chunk[16384];
	size_t len;
	ssize_t n;

	if (events & EPOLLOUT) { /* connected, or not */
		if (send(fd, t->asked.data, t->asked.len, MSG_NOSIGNAL) != (ssize_t)t->asked.len)
			ask_next(t);
		else
			loop_fd_events(l, t->outside_source, EPOLLIN);
		return;
	}
	n = recv(fd, chunk, sizeof(chunk), 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0)
		buf_add(&t->answer, chunk, (size_t)n);
	if (n <= 0 || !buf_ok(&t->answer)) {
		ask_next(t);
		return;
	}
	if (!whole(&t->answer, &len))
		return;
	if (!dns_belongs((uint8_t *)t->answer.data + PREFIX, len, (uint8_t *)t->asked.data + PREFIX,
			 t->asked.len - PREFIX)) {
		ask_next(t);
		return;
	}
	add_answer(t, t->answer.data + PREFIX, len);
	asked_enough(t);
}

static bool ask(struct stream *t, const union server *s)
{
	socklen_t size = s->any.sa_family == AF_INET ? sizeof(s->v4) : sizeof(s->v6);

	t->outside = socket(s->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->outside < 0 || (connect(t->outside, &s->any, size) < 0 && errno != EINPROGRESS))
		return false;
	t->outside_source = loop_fd(t->served->state->loop, t->outside, EPOLLOUT, on_outside, t);
	wait_for(t, PATIENCE_MS);
	return t->outside_source;
}

static void ask_next(struct stream *t)
{
	while (t->tries < t->servers.count) {
		stop_asking(t);
		if (ask(t, &t->servers.items[t->tries++]))
			return;
	}
	answer_with_failure(t);
	asked_enough(t);
}

/* Answers what it can of what has come in. */
static void take_questions(struct stream *t)
{
	size_t len;

	while (!t->busy && t->out.len < OUT_MOST && whole(&t->in, &len)) {
		const uint8_t *query = (const uint8_t *)t->in.data + PREFIX;
		autobuf struct buf answer = { 0 };
		const struct servers *servers;
		enum verdict v = serve_judge(t->served, query, len, DNS_ANSWER_MAX, &answer, &servers);

		if (v == VERDICT_ANSWER)
			add_answer(t, answer.data, answer.len);
		if (v == VERDICT_FORWARD) {
			buf_add(&t->asked, t->in.data, PREFIX + len);
			t->servers = *servers;
			t->tries = 0;
			t->busy = true;
		}
		buf_consume(&t->in, PREFIX + len);
	}
}

/* False: the connection is gone. */
static bool flush(struct stream *t)
{
	ssize_t n = t->out.len ? send(t->fd, t->out.data, t->out.len, MSG_NOSIGNAL) : 0;

	if ((n < 0 && errno != EAGAIN) || !buf_ok(&t->out))
		return false;
	if (n > 0)
		buf_consume(&t->out, (size_t)n);
	loop_fd_events(t->served->state->loop, t->source,
		       (t->out.len ? EPOLLOUT : 0U) |
			       (t->in.len < PREFIX + DNS_QUERY_MAX ? (uint32_t)EPOLLIN : 0U));
	return true;
}

static void proceed(struct stream *t)
{
	bool was_busy = t->busy;

	take_questions(t);
	if (!flush(t))
		stream_free(t);
	else if (t->busy && !was_busy)
		ask_next(t);
	else if (!t->busy)
		wait_for(t, IDLE_MS);
}

static void on_client(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct stream *t = arg;
	char chunk[PREFIX + DNS_QUERY_MAX];
	size_t room = t->in.len < sizeof(chunk) ? sizeof(chunk) - t->in.len : 0, len;
	ssize_t n = 0;

	(void)l;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		n = room ? recv(fd, chunk, room, 0) : 0;
		if (n > 0)
			buf_add(&t->in, chunk, (size_t)n);
		/* The end, a fault, or a message longer than any question. */
		if ((n == 0 && room) || (n < 0 && errno != EAGAIN) || !buf_ok(&t->in) ||
		    (events & (EPOLLHUP | EPOLLERR)) || (t->in.len == sizeof(chunk) && !whole(&t->in, &len))) {
			stream_free(t);
			return;
		}
	}
	proceed(t);
}

void stream_accept(struct served *c)
{
	int fd = accept4(c->tcp, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct stream *t = fd >= 0 && c->stream_count < STREAMS_MOST ? calloc(1, sizeof(*t)) : NULL;

	if (!t) {
		if (fd >= 0)
			close(fd);
		return;
	}
	t->served = c;
	t->fd = fd;
	t->outside = -1;
	t->next = c->streams;
	c->streams = t;
	c->stream_count++;
	t->source = loop_fd(c->state->loop, fd, EPOLLIN, on_client, t);
	if (!t->source)
		stream_free(t);
	else
		wait_for(t, IDLE_MS);
}
