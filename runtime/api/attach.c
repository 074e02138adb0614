/* POST attach (the connection becomes the container's streams) and resize. */
#include <errno.h>

#include "api/handlers.h"
#include "api/hijack.h"
#include "api/request.h"

static int join(struct request *r, struct hijack *h, int fd)
{
	struct container *c;
	/* It may have gone while the answer was on its way. */
	int rc = engine_find(r->engine, h->id, &c, NULL);

	return rc < 0 ? rc : engine_attach(c, fd, &h->wish, hijack_over, r, &h->attachment, NULL);
}

static int check_attach(struct request *r, const struct container *c, struct err *e)
{
	if (request_flag(r, "logs"))
		return err_set(e, -ENOTSUP, "attach with logs=1 is not supported: ask for "
			       "/containers/%s/logs", r->param);
	if (!request_flag(r, "stream"))
		return err_set(e, -ENOTSUP, "attach without stream=1 is not supported");
	if (!hijack_asked(r))
		return err_set(e, -EINVAL, "attach needs the headers \"Connection: Upgrade\" and "
			       "\"Upgrade: tcp\"");
	if (c->state == STATE_PAUSED)
		return err_set(e, -EBUSY, "container %s is paused, unpause the container before attach",
			       c->id);
	if (c->state == STATE_RESTARTING)
		return err_set(e, -EBUSY, "container %s is restarting, wait until the container is "
			       "running", c->id);
	return 0;
}

void handle_attach(struct request *r)
{
	struct container *c = request_container(r);
	struct err e = { 0 };
	int rc = c ? check_attach(r, c, &e) : 0;

	if (!c)
		return;
	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	reply_hijack(r, c->id, &(struct attach_wish){
		.in = request_flag(r, "stdin") && c->spec.stdin_open,
		.out = request_flag(r, "stdout"), .err = request_flag(r, "stderr"),
		.raw = c->spec.tty,
	}, join);
}

bool request_size(struct request *r, unsigned *rows, unsigned *columns)
{
	int64_t h = request_number(r, "h", -1), w = request_number(r, "w", -1);

	if (h < 0 || w < 0 || h > 65535 || w > 65535) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "resize needs h and w, 0 to 65535");
		return false;
	}
	*rows = (unsigned)h;
	*columns = (unsigned)w;
	return true;
}

void handle_resize(struct request *r)
{
	struct container *c = request_container(r);
	unsigned rows, columns;
	struct err e = { 0 };
	int rc;

	if (!c || !request_size(r, &rows, &columns))
		return;
	rc = engine_resize(c, rows, columns, &e);
	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		reply_empty(r, MHD_HTTP_OK);
}
