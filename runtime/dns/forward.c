#include "dns/forward.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { PATIENCE_MS = 2000, ROUNDS = 2, REFUSED = 5 };

struct forward {
	struct loop *loop;
	struct servers servers;
	size_t tries;
	int fd;
	struct loop_source *source, *timer;
	forward_done_fn *done;
	void *arg;
	uint16_t id;               /* the client's */
	size_t len;
	uint8_t query[];
};

static void hang_up(struct forward *f)
{
	loop_remove(f->loop, take_ptr(f->source));
	loop_remove(f->loop, take_ptr(f->timer));
	if (f->fd >= 0)
		close(take_fd(&f->fd));
}

void forward_cancel(struct forward *f)
{
	if (!f)
		return;
	hang_up(f);
	free(f);
}

static void finish(struct forward *f, const uint8_t *answer, size_t len)
{
	forward_done_fn *done = f->done;
	void *arg = f->arg;

	forward_cancel(f);
	done(arg, answer, len);
}

int forward_refused(const uint8_t *answer, size_t len)
{
	int code = len > 3 ? answer[3] & 15 : DNS_SERVER_FAILURE;

	return code == DNS_SERVER_FAILURE || code == DNS_NOT_IMPLEMENTED || code == REFUSED;
}

static void ask_next(struct forward *f);

static void on_answer(struct loop *l, int fd, uint32_t events, void *arg)
{
	static uint8_t answer[DNS_ANSWER_MAX];
	struct forward *f = arg;
	ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);

	(void)l;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* nobody is there */
		ask_next(f);
		return;
	}
	if (!dns_belongs(answer, (size_t)n, f->query, f->len))
		return;
	if (forward_refused(answer, (size_t)n) && f->tries < f->servers.count) {
		ask_next(f);
		return;
	}
	memcpy(answer, &f->id, sizeof(f->id));
	finish(f, answer, (size_t)n);
}

static void on_silence(struct loop *l, void *arg)
{
	struct forward *f = arg;

	(void)l;
	f->timer = NULL;
	ask_next(f);
}

static int ask(struct forward *f, const union server *s)
{
	socklen_t size = s->any.sa_family == AF_INET ? sizeof(s->v4) : sizeof(s->v6);

	/* Another id and another port each time: nobody can guess what to answer. */
	if (getrandom(f->query, sizeof(f->id), 0) != sizeof(f->id))
		return -EIO;
	f->fd = socket(s->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->fd < 0 || connect(f->fd, &s->any, size) < 0 || send(f->fd, f->query, f->len, 0) < 0)
		return -errno;
	f->source = loop_fd(f->loop, f->fd, EPOLLIN, on_answer, f);
	f->timer = loop_timer(f->loop, PATIENCE_MS, on_silence, f);
	return f->source && f->timer ? 0 : -ENOMEM;
}

static void ask_next(struct forward *f)
{
	hang_up(f);
	while (f->tries < ROUNDS * f->servers.count) {
		if (ask(f, &f->servers.items[f->tries++ % f->servers.count]) == 0)
			return;
		hang_up(f);
	}
	finish(f, NULL, 0);
}

/* The first try is made by the loop, so that `done` never comes before this has returned. */
struct forward *forward_ask(struct loop *l, const struct servers *servers, const uint8_t *query,
			    size_t len, forward_done_fn *done, void *arg)
{
	struct forward *f = calloc(1, sizeof(*f) + len);

	if (!f)
		return NULL;
	*f = (struct forward){ .loop = l, .servers = *servers, .fd = -1, .done = done, .arg = arg,
			       .len = len };
	memcpy(f->query, query, len);
	memcpy(&f->id, query, sizeof(f->id));
	f->timer = loop_timer(l, 0, on_silence, f);
	if (!f->timer)
		free(take_ptr(f));
	return f;
}
