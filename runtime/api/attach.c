/* POST attach (the connection becomes the container's streams) and resize. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/handlers.h"
#include "api/request.h"

/* ---- a connection that was taken out of HTTP ---- */

struct hijack {
	struct MHD_UpgradeResponseHandle *upgrade;
	struct attachment *attachment;
	struct attach_wish wish;
	char id[CONTAINER_ID_LEN + 1];
};

static void close_upgraded(void *arg)
{
	struct request *r = arg;
	struct hijack *h = r->stream.state;

	h->attachment = NULL;
	MHD_upgrade_action(h->upgrade, MHD_UPGRADE_ACTION_CLOSE);
	api_run_soon(r->api);
}

static void on_upgraded(void *arg, struct MHD_Connection *connection, void *request,
			const char *early, size_t early_len, MHD_socket fd,
			struct MHD_UpgradeResponseHandle *upgrade)
{
	struct request *r = arg;
	struct hijack *h = r->stream.state;
	struct container *c;

	(void)connection;
	(void)request;
	h->upgrade = upgrade;
	h->wish.early = early;
	h->wish.early_len = early_len;
	/* It may have gone while the answer was on its way. */
	if (engine_find(r->engine, h->id, &c, NULL) < 0 ||
	    engine_attach(c, fd, &h->wish, close_upgraded, r, &h->attachment, NULL) < 0)
		close_upgraded(r);
}

static void hijack_end(struct request *r)
{
	struct hijack *h = r->stream.state;

	engine_detach(h->attachment);
	free(h);
}

static bool asks_for_upgrade(struct request *r)
{
	const char *to = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Upgrade");

	return to && !strcasecmp(to, "tcp");
}

static int check_attach(struct request *r, const struct container *c, struct err *e)
{
	if (request_flag(r, "logs"))
		return err_set(e, -ENOTSUP, "attach with logs=1 is not supported: ask for "
			       "/containers/%s/logs", r->param);
	if (!request_flag(r, "stream"))
		return err_set(e, -ENOTSUP, "attach without stream=1 is not supported");
	if (!asks_for_upgrade(r))
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
	struct hijack *h;
	int rc;

	if (!c)
		return;
	rc = check_attach(r, c, &e);
	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	h = calloc(1, sizeof(*h));
	if (!h) {
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
		return;
	}
	memcpy(h->id, c->id, sizeof(h->id));
	h->wish.in = request_flag(r, "stdin") && c->spec.stdin_open;
	h->wish.out = request_flag(r, "stdout");
	h->wish.err = request_flag(r, "stderr");
	r->stream = (struct stream){ .end = hijack_end, .state = h };
	reply_upgrade(r, c->spec.tty ? "application/vnd.docker.raw-stream" :
				       "application/vnd.docker.multiplexed-stream", on_upgraded);
}

void handle_resize(struct request *r)
{
	int64_t rows = request_number(r, "h", -1), columns = request_number(r, "w", -1);
	struct container *c = request_container(r);
	struct err e = { 0 };
	int rc;

	if (!c)
		return;
	if (rows < 0 || columns < 0 || rows > 65535 || columns > 65535) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "resize needs h and w, 0 to 65535");
		return;
	}
	rc = engine_resize(c, (unsigned)rows, (unsigned)columns, &e);
	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		reply_empty(r, MHD_HTTP_OK);
}
