#include "api/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "api/json.h"

enum { STREAM_BLOCK = 16 * 1024 };

const char *request_query(struct request *r, const char *key)
{
	return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, key);
}

bool request_flag(struct request *r, const char *key)
{
	const char *value = request_query(r, key);

	/* docker's httputils.BoolValue: anything but these is true. */
	return value && *value && strcmp(value, "0") && strcmp(value, "false") &&
	       strcmp(value, "no") && strcmp(value, "none");
}

int64_t request_number(struct request *r, const char *key, int64_t otherwise)
{
	const char *value = request_query(r, key);
	char *end;
	long long number;

	if (!value || !*value)
		return otherwise;
	number = strtoll(value, &end, 10);
	return *end ? otherwise : number;
}

struct container *request_container(struct request *r)
{
	struct container *c;
	struct err e = { 0 };
	int rc = engine_find(r->engine, r->param, &c, &e);

	if (!rc)
		return c;
	reply_errno(r, rc, &e);
	return NULL;
}

static void set_response(struct request *r, unsigned status, struct MHD_Response *response)
{
	static const char *const headers[][2] = {
		{ "Api-Version", "1.51" },
		{ "Docker-Experimental", "false" },
		{ "Ostype", "linux" },
		{ "Server", "Berth" },
	};

	if (r->response)
		MHD_destroy_response(r->response);
	r->response = response;
	r->status = status;
	for (size_t i = 0; response && i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
}

void reply_header(struct request *r, const char *name, const char *value)
{
	if (r->response) {
		MHD_del_response_header(r->response, name, value);
		MHD_add_response_header(r->response, name, value);
	}
}

void reply_json(struct request *r, unsigned status, struct buf *json)
{
	size_t len = json->len;
	char *text = buf_take(json);

	if (!text) {
		set_response(r, MHD_HTTP_INTERNAL_SERVER_ERROR,
			     MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
		return;
	}
	set_response(r, status, MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE));
	reply_header(r, "Content-Type", "application/json");
}

void reply_empty(struct request *r, unsigned status)
{
	set_response(r, status, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
}

void reply_error(struct request *r, unsigned status, const char *fmt, ...)
{
	struct buf json = { 0 };
	char text[ERR_TEXT_MAX * 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_open(&json, NULL, '{');
	json_string(&json, "message", text);
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, status, &json);
}

unsigned status_of(int rc)
{
	static const struct { int rc; unsigned status; } table[] = {
		{ -ENOENT, MHD_HTTP_NOT_FOUND },
		{ -EINVAL, MHD_HTTP_BAD_REQUEST },
		{ -EACCES, MHD_HTTP_FORBIDDEN },
		{ -EBUSY, MHD_HTTP_CONFLICT },
		{ -EEXIST, MHD_HTTP_CONFLICT },
		{ -EROFS, MHD_HTTP_FORBIDDEN },
		{ -ENOTSUP, MHD_HTTP_NOT_IMPLEMENTED },
		{ -ESHUTDOWN, MHD_HTTP_SERVICE_UNAVAILABLE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].rc == rc)
			return table[i].status;
	return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

void reply_errno(struct request *r, int rc, const struct err *e)
{
	reply_error(r, status_of(rc), "%s", e->text);
}

void reply_upgrade(struct request *r, const char *type, MHD_UpgradeHandler handler)
{
	set_response(r, MHD_HTTP_SWITCHING_PROTOCOLS, MHD_create_response_for_upgrade(handler, r));
	reply_header(r, "Content-Type", type);
	reply_header(r, "Upgrade", "tcp");
}

/* ---- waiting ---- */

static void on_hangup(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct request *r = arg;

	(void)fd;
	(void)events;
	loop_remove(l, r->hangup);
	r->hangup = NULL;
	r->gone = true;
	if (!r->waiting)
		return;
	engine_forget(r->engine, r);
	if (!r->response)
		reply_empty(r, MHD_HTTP_INTERNAL_SERVER_ERROR);
	request_answer(r);
}

/* libmicrohttpd does not look at a suspended connection, so the hang-up is watched for here:
 * only a full one (EPOLLHUP, which needs no asking for); half of it is a client's right. */
void request_wait(struct request *r)
{
	const union MHD_ConnectionInfo *info;

	if (r->waiting)
		return;
	r->waiting = true;
	info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info && !r->hangup && !r->gone)
		r->hangup = loop_fd(r->engine->loop, info->connect_fd, 0, on_hangup, r);
	MHD_suspend_connection(r->connection);
}

void request_answer(struct request *r)
{
	if (!r->waiting)
		return;
	r->waiting = false;
	MHD_resume_connection(r->connection);
	/* With an event loop of the caller's, libmicrohttpd notices at its next turn only. */
	api_run_soon(r->api);
}

/* ---- streams ---- */

static ssize_t stream_read(void *arg, uint64_t pos, char *out, size_t max)
{
	struct request *r = arg;
	size_t n;

	(void)pos;
	if (r->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!r->streamed.len && !r->stream_over)
		r->stream_over = !r->stream.more(r, &r->streamed);
	if (!r->streamed.len) {
		if (r->stream_over)
			return MHD_CONTENT_READER_END_OF_STREAM;
		request_wait(r);
		return 0;
	}
	n = r->streamed.len < max ? r->streamed.len : max;
	memcpy(out, r->streamed.data, n);
	buf_consume(&r->streamed, n);
	return (ssize_t)n;
}

void reply_stream(struct request *r, const char *type, struct stream stream)
{
	r->stream = stream;
	set_response(r, MHD_HTTP_OK,
		     MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, r,
						       NULL));
	reply_header(r, "Content-Type", type);
}

void stream_wake(struct request *r)
{
	request_answer(r);
}
