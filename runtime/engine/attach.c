/* A client that is joined to a container's streams. Its connection is handed to the shim, which
 * speaks with it from then on, so no byte goes through the engine and an engine that dies takes no
 * client along. Until the container has a shim the client waits here. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/internal.h"

struct attachment {
	struct engine *engine;
	struct attachment **list;     /* where it waits; NULL once the shim has it */
	int fd;                       /* the client's; the caller's to close */
	int control;                  /* ends when the shim is done with the client; -1 */
	struct loop_source *source;   /* of `control`, or of `fd` while waiting */
	struct attach_wish wish;
	struct buf early;
	engine_attach_over_fn *over;
	void *arg;
	struct attachment *next;      /* of those that wait for the same */
};

static void unlink_waiting(struct attachment *a)
{
	struct attachment **p = a->list;

	while (*p && *p != a)
		p = &(*p)->next;
	if (*p)
		*p = a->next;
	a->list = NULL;
}

void engine_detach(struct attachment *a)
{
	if (!a)
		return;
	if (a->list)
		unlink_waiting(a);
	loop_remove(a->engine->loop, a->source);
	if (a->control >= 0)
		close(a->control);
	buf_free(&a->early);
	free(a);
}

static void finish(struct attachment *a)
{
	engine_attach_over_fn *over = a->over;
	void *arg = a->arg;

	engine_detach(a);
	over(arg);
}

static void on_control(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)events;
	if (watch_hung_up(fd))
		finish(arg);
}

static void on_hangup(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)fd;
	(void)events;
	finish(arg);
}

static int hand_over(struct attachment *a, const char *dir, bool patient)
{
	autobuf struct buf text = { 0 };
	int fd;

	buf_addf(&text, "attach %s%s%s%s %zu\n", a->wish.in ? "i" : "", a->wish.out ? "o" : "",
		 a->wish.err ? "e" : "", patient ? "p" : "", a->early.len);
	buf_add(&text, buf_text(&a->early), a->early.len);
	fd = buf_ok(&text) ? watch_say(dir, text.data, text.len, a->fd) : -ENOMEM;
	if (fd < 0)
		return fd;
	loop_remove(a->engine->loop, a->source);
	a->source = loop_fd(a->engine->loop, fd, EPOLLIN, on_control, a);
	a->control = fd;
	return a->source ? 0 : -ENOMEM;
}

/* A few bytes into a socket that has had none: there is room. */
static void tell(const struct attachment *a, const char *why)
{
	autobuf struct buf frame = { 0 };
	size_t len = strlen(why) + 2;
	const char head[8] = { 2, 0, 0, 0, 0, 0, (char)(len >> 8), (char)len };

	if (!a->wish.raw)
		buf_add(&frame, head, sizeof(head));
	buf_addf(&frame, "%s\r\n", why);
	if (buf_ok(&frame))
		send(a->fd, frame.data, frame.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* They were there before the start, so they are the program's own terminal or pipe. */
void attach_hand_over(struct attachment **list, const char *dir)
{
	while (*list) {
		struct attachment *a = *list;

		unlink_waiting(a);
		if (hand_over(a, dir, true) == 0)
			continue;
		if (a->control < 0)
			tell(a, "attach: the container's shim does not answer");
		finish(a);
	}
}

void attach_give_up(struct attachment **list, const char *why)
{
	while (*list) {
		if (why)
			tell(*list, why);
		finish(*list);
	}
}

static int wait_for_start(struct attachment *a, struct attachment **list)
{
	a->source = loop_fd(a->engine->loop, a->fd, 0, on_hangup, a);
	if (!a->source)
		return -ENOMEM;
	a->list = list;
	a->next = *list;
	*list = a;
	return 0;
}

int attach_to(struct container *c, struct attachment **list, const char *dir, int fd,
	      const struct attach_wish *wish, engine_attach_over_fn *over, void *arg,
	      struct attachment **out, struct err *e)
{
	struct attachment *a = calloc(1, sizeof(*a));
	int rc = a ? 0 : -ENOMEM;

	if (rc < 0)
		return err_code(e, rc, "attach");
	*a = (struct attachment){ .engine = c->engine, .fd = fd, .control = -1, .wish = *wish,
				  .over = over, .arg = arg };
	if (wish->early_len)
		buf_add(&a->early, wish->early, wish->early_len);
	rc = dir ? hand_over(a, dir, false) : wait_for_start(a, list);
	if (rc < 0) {
		engine_detach(a);
		return err_code(e, rc, "attach to container \"%s\"", c->name);
	}
	*out = a;
	return 0;
}

int engine_attach(struct container *c, int fd, const struct attach_wish *wish,
		  engine_attach_over_fn *over, void *arg, struct attachment **out, struct err *e)
{
	char dir[PATH_MAX];
	int rc;

	container_run_dir(c, "", dir, sizeof(dir));
	rc = attach_to(c, &c->attachments, c->shim_fd >= 0 ? dir : NULL, fd, wish, over, arg, out, e);
	if (!rc)
		events_add(c->engine->events, "attach", c, NULL);
	return rc;
}

int engine_resize(struct container *c, unsigned rows, unsigned columns, struct err *e)
{
	char text[48];
	int len = snprintf(text, sizeof(text), "resize %u %u\n", rows, columns), fd;
	char dir[PATH_MAX];

	if (c->shim_fd < 0)
		return err_set(e, -EBUSY, "container %s is not running", c->id);
	if (!c->spec.tty)
		return err_set(e, -EINVAL, "container %s has no terminal", c->id);
	container_run_dir(c, "", dir, sizeof(dir));
	fd = watch_say(dir, text, (size_t)len, -1);
	if (fd < 0)
		return err_code(e, fd, "resize the terminal of container \"%s\"", c->name);
	close(fd);
	events_add(c->engine->events, "resize", c, NULL);
	return ENGINE_DONE;
}
