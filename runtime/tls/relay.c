#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tls/tls.h"

enum { PIECE = 16 * 1024, LAST_WORDS_MS = 2000 };

/* One way: what was read and is not yet written. */
struct way {
	unsigned char data[PIECE];
	size_t from, len;
	bool ended; /* nothing more comes in */
	bool told;  /* ... which was passed on */
};

struct pair {
	mbedtls_ssl_context *ssl;
	int client, engine;
	struct way up, down; /* client to engine, engine to client */
	bool broken;
};

static bool waits(int code)
{
	return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* Each step: whether something moved. */
static bool from_client(struct pair *p)
{
	int n;

	if (p->up.len || p->up.ended)
		return false;
	n = mbedtls_ssl_read(p->ssl, p->up.data, PIECE);
	if (waits(n))
		return false;
	p->up.ended = n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
	/* An end without its notice is a client that is gone, or a line that was cut. */
	p->broken |= n <= 0 && !p->up.ended;
	p->up.from = 0;
	p->up.len = n > 0 ? (size_t)n : 0;
	return true;
}

static bool to_engine(struct pair *p)
{
	ssize_t n;

	if (!p->up.len) {
		if (!p->up.ended || p->up.told)
			return false;
		p->up.told = true;
		shutdown(p->engine, SHUT_WR);
		return true;
	}
	n = write(p->engine, p->up.data + p->up.from, p->up.len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* It wants no more of it, but what it answered is still to come. */
	if (n < 0)
		p->up = (struct way){ .ended = true, .told = true };
	p->up.from += n > 0 ? (size_t)n : 0;
	p->up.len -= n > 0 ? (size_t)n : 0;
	return true;
}

static bool from_engine(struct pair *p)
{
	ssize_t n;

	if (p->down.len || p->down.ended)
		return false;
	n = read(p->engine, p->down.data, PIECE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	p->down.ended = n <= 0;
	p->down.from = 0;
	p->down.len = n > 0 ? (size_t)n : 0;
	return true;
}

static bool to_client(struct pair *p)
{
	int n;

	if (!p->down.len) {
		if (!p->down.ended || p->down.told)
			return false;
		n = mbedtls_ssl_close_notify(p->ssl);
		p->down.told = !waits(n);
		return p->down.told;
	}
	n = mbedtls_ssl_write(p->ssl, p->down.data + p->down.from, p->down.len);
	if (n < 0) {
		p->broken |= !waits(n);
		return false;
	}
	p->down.from += (size_t)n;
	p->down.len -= (size_t)n;
	return true;
}

/* An fd that nothing is wanted of is left out: its hang-up would be reported without end. */
static void wait_for_more(struct pair *p)
{
	bool out = p->down.len || (p->down.ended && !p->down.told);
	struct pollfd fds[] = {
		{ p->client, (short)((p->up.len || p->up.ended ? 0 : POLLIN) | (out ? POLLOUT : 0) |
				     (p->up.ended ? POLLRDHUP : 0)), 0 },
		{ p->engine, (short)((p->up.len ? POLLOUT : 0) |
				     (p->down.len || p->down.ended ? 0 : POLLIN)), 0 },
	};

	for (int i = 0; i < 2; i++)
		if (!fds[i].events)
			fds[i].fd = -1;
	if (poll(fds, 2, -1) < 0)
		p->broken |= errno != EINTR;
	/* It had said its last word, and now it is gone. */
	p->broken |= p->up.ended && (fds[0].revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* What the client still sends is read away: closing over it would be a reset, which could overtake
 * the last bytes of the answer. */
static void part(struct pair *p)
{
	struct pollfd fd = { p->client, POLLIN, 0 };
	int64_t until = clock_boot_ms() + LAST_WORDS_MS, left;

	shutdown(p->client, SHUT_WR);
	while ((left = until - clock_boot_ms()) > 0 && poll(&fd, 1, (int)left) > 0 &&
	       read(p->client, p->up.data, PIECE) > 0)
		;
}

void relay(mbedtls_ssl_context *ssl, int client, int engine)
{
	static struct pair p;

	p = (struct pair){ .ssl = ssl, .client = client, .engine = engine };
	while (!p.broken && !p.down.told) {
		bool moved = from_client(&p);

		moved |= to_engine(&p);
		moved |= from_engine(&p);
		moved |= to_client(&p);
		if (!moved && !p.broken)
			wait_for_more(&p);
	}
	if (!p.broken)
		part(&p);
}
