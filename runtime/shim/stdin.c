/* What attached clients send, on its way to the container: at most one read is under way, and no
 * client is read from while the container has not taken it. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "shim/shim.h"

static void on_room(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct shim *s = arg;

	(void)l;
	(void)fd;
	(void)events;
	stdin_write(s, NULL, 0);
	if (!s->input.pending.len)
		attach_update(s);
}

static void wait_for_room(struct shim *s)
{
	struct input *in = &s->input;

	if (in->pending.len && !in->source) {
		in->source = loop_fd(s->loop, in->fd, EPOLLOUT, on_room, s);
		attach_update(s);
	}
	if (!in->pending.len)
		loop_remove(s->loop, take_ptr(in->source));
}

void stdin_close(struct shim *s)
{
	struct input *in = &s->input;

	in->ending = true;
	if (in->pending.len)
		return;
	loop_remove(s->loop, take_ptr(in->source));
	cleanup_fd(&in->fd);
	in->fd = -1;
}

void stdin_write(struct shim *s, const char *data, size_t len)
{
	struct input *in = &s->input;
	ssize_t n;

	if (in->fd < 0)
		return;
	if (len)
		buf_add(&in->pending, data, len);
	n = in->pending.len ? write(in->fd, in->pending.data, in->pending.len) : 0;
	/* Memory for what is typed now and then is not kept: there is a shim per container. */
	if (n > 0 && (size_t)n == in->pending.len)
		buf_free(&in->pending);
	else if (n > 0)
		buf_consume(&in->pending, (size_t)n);
	/* The container has closed its end (EPIPE), or its terminal is gone (EIO). */
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		buf_free(&in->pending);
		in->ending = true;
	}
	if (in->ending)
		stdin_close(s);
	if (in->fd >= 0)
		wait_for_room(s);
}
