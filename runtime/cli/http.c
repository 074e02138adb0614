#include "cli/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { HEAD_MAX_BYTES = 16 * 1024, BODY_MAX_BYTES = 64 * 1024 * 1024 };

int http_connect(const char *host, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *scheme = "unix://";
	autoclose int fd = -1;

	if (strncmp(host, scheme, strlen(scheme)) != 0)
		return err_set(e, -EINVAL, "host \"%s\" is not supported: expected unix:///PATH", host);
	host += strlen(scheme);
	if (strlen(host) >= sizeof(addr.sun_path))
		return err_set(e, -ENAMETOOLONG, "socket path \"%s\" is too long", host);
	strcpy(addr.sun_path, host);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, "cannot connect to the engine at unix://%s (is it running? see \"berth "
				  "status\")", host);
	return take_fd(&fd);
}

/* Reads more raw bytes. 0 at the end of the stream, 1 when some came, -errno. */
static int fill(struct http_response *r, struct err *e)
{
	char chunk[16 * 1024];
	ssize_t n;

	do
		n = read(r->fd, chunk, sizeof(chunk));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read from the engine");
	buf_add(&r->raw, chunk, (size_t)n);
	if (!buf_ok(&r->raw))
		return err_set(e, -ENOMEM, "out of memory");
	return n > 0;
}

/* One line without its CRLF, taken off the raw bytes. */
static int take_line(struct http_response *r, struct buf *line, struct err *e)
{
	const char *end;
	size_t len;

	while (!r->raw.len || !(end = memmem(r->raw.data, r->raw.len, "\r\n", 2))) {
		int rc = r->raw.len > HEAD_MAX_BYTES ? -EPROTO : fill(r, e);

		if (rc < 0)
			return rc == -EPROTO ? err_set(e, rc, "the engine's answer is no HTTP") : rc;
		if (rc == 0)
			return err_set(e, -EPROTO, "the engine closed the connection in its answer");
	}
	len = (size_t)(end - r->raw.data);
	buf_reset(line);
	buf_add(line, r->raw.data, len);
	buf_consume(&r->raw, len + 2);
	return buf_ok(line) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int parse_size(const char *text, int base, size_t *out)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, base);
	if (errno || end == text || n > SIZE_MAX / 2)
		return -EPROTO;
	*out = (size_t)n;
	return 0;
}

static int read_field(struct http_response *r, const char *line, struct err *e)
{
	static const char path_stat[] = "x-docker-container-path-stat:";

	if (!strncasecmp(line, "content-length:", 15)) {
		if (parse_size(line + 15, 10, &r->left) < 0)
			return err_set(e, -EPROTO, "the engine's answer has a bad length");
		r->until_close = false;
	} else if (!strncasecmp(line, "transfer-encoding: chunked", 26)) {
		r->chunked = true;
		r->until_close = false;
	} else if (!strncasecmp(line, path_stat, sizeof(path_stat) - 1)) {
		buf_reset(&r->path_stat);
		buf_adds(&r->path_stat, line + sizeof(path_stat) - 1);
	}
	return 0;
}

static int read_head(struct http_response *r, struct err *e)
{
	autobuf struct buf line = { 0 };
	int rc = take_line(r, &line, e);

	if (rc < 0)
		return rc;
	if (strncmp(buf_text(&line), "HTTP/1.", 7) != 0 || line.len < 12)
		return err_set(e, -EPROTO, "the engine's answer is no HTTP");
	r->status = atoi(line.data + 9);
	r->until_close = true;
	while (!(rc = take_line(r, &line, e)) && line.len) {
		rc = read_field(r, line.data, e);
		if (rc < 0)
			return rc;
	}
	if (r->status == 204 || r->status == 304)
		r->until_close = false;
	return rc;
}

static int request(const char *host, const char *method, const char *target, const char *body,
		   const char *headers, struct http_response *out, struct err *e)
{
	struct http_response r = { .fd = http_connect(host, e) };
	autobuf struct buf request = { 0 };
	int rc;

	if (r.fd < 0)
		return r.fd;
	buf_addf(&request, "%s %s HTTP/1.1\r\nHost: berth\r\nUser-Agent: berth\r\n", method, target);
	if (body)
		buf_addf(&request, "Content-Type: application/json\r\n");
	if (body || !strcmp(method, "POST"))
		buf_addf(&request, "Content-Length: %zu\r\n", body ? strlen(body) : 0);
	buf_addf(&request, "%s\r\n%s", headers, body ? body : "");
	rc = buf_ok(&request) ? file_write_all(r.fd, request.data, request.len) : -ENOMEM;
	if (rc < 0)
		err_code(e, rc, "send to the engine");
	else
		rc = read_head(&r, e);
	if (!rc && !strcmp(method, "HEAD")) {
		r.until_close = r.chunked = false;
		r.left = 0; /* what is said of it is a GET's */
	}
	if (rc < 0) {
		http_close(&r);
		return rc;
	}
	*out = r;
	return 0;
}

/* In chunks, since nobody knows how long it gets. An engine that has heard enough says why. */
static int send_chunks(int to, int from, struct err *e)
{
	char chunk[32 * 1024], head[16];
	ssize_t n;
	int rc = 0;

	while (!rc && (n = read(from, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read what is to be sent");
		rc = file_write_all(to, head, (size_t)snprintf(head, sizeof(head), "%zx\r\n", (size_t)n));
		if (!rc)
			rc = file_write_all(to, chunk, (size_t)n);
		if (!rc)
			rc = file_write_all(to, "\r\n", 2);
	}
	if (!rc)
		rc = file_write_all(to, "0\r\n\r\n", 5);
	return rc == -EPIPE || !rc ? 0 : err_code(e, rc, "send to the engine");
}

int http_upload(const char *host, const char *method, const char *target, int fd,
		struct http_response *out, struct err *e)
{
	struct http_response r = { .fd = http_connect(host, e) };
	autobuf struct buf head = { 0 };
	int rc;

	if (r.fd < 0)
		return r.fd;
	buf_addf(&head, "%s %s HTTP/1.1\r\nHost: berth\r\nUser-Agent: berth\r\nConnection: close\r\n"
		 "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n", method,
		 target);
	rc = buf_ok(&head) ? file_write_all(r.fd, head.data, head.len) : -ENOMEM;
	if (rc < 0)
		err_code(e, rc, "send to the engine");
	if (!rc)
		rc = send_chunks(r.fd, fd, e);
	if (!rc)
		rc = read_head(&r, e);
	if (rc < 0) {
		http_close(&r);
		return rc;
	}
	*out = r;
	return 0;
}

int http_request(const char *host, const char *method, const char *target, const char *body,
		 struct http_response *out, struct err *e)
{
	return request(host, method, target, body, "Connection: close\r\n", out, e);
}

int http_request_with(const char *host, const char *method, const char *target,
		      const char *headers, struct http_response *out, struct err *e)
{
	autobuf struct buf all = { 0 };

	buf_addf(&all, "%sConnection: close\r\n", headers);
	return request(host, method, target, NULL, buf_text(&all), out, e);
}

static int next_chunk(struct http_response *r, struct err *e)
{
	autobuf struct buf line = { 0 };
	int rc = 0;

	if (r->chunk_open)
		rc = take_line(r, &line, e);
	if (!rc)
		rc = take_line(r, &line, e);
	if (rc < 0)
		return rc;
	if (parse_size(line.data, 16, &r->left) < 0)
		return err_set(e, -EPROTO, "the engine's answer has a bad chunk");
	r->chunk_open = true;
	return r->left > 0;
}

ssize_t http_read(struct http_response *r, void *data, size_t room, struct err *e)
{
	size_t n;
	int rc;

	if (r->chunked && !r->left) {
		rc = next_chunk(r, e);
		if (rc <= 0)
			return rc;
	}
	if (!r->until_close && !r->left)
		return 0;
	if (!r->raw.len) {
		rc = fill(r, e);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return r->until_close ? 0 : err_set(e, -EPROTO, "the engine's answer ended early");
	}
	n = r->raw.len < room ? r->raw.len : room;
	if (!r->until_close && n > r->left)
		n = r->left;
	memcpy(data, r->raw.data, n);
	buf_consume(&r->raw, n);
	if (!r->until_close)
		r->left -= n;
	return (ssize_t)n;
}

void http_close(struct http_response *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	buf_free(&r->raw);
	buf_free(&r->path_stat);
}

/* The engine's own sentence: {"message":"..."}. */
static int engine_error(int status, const struct buf *body, struct err *e)
{
	yyjson_doc *doc = yyjson_read(buf_text(body), body->len, 0);
	const char *message = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "message"));
	int rc = err_set(e, status == 404 ? -ENOENT : -EIO, "%s",
			 message ? message : "the engine refused the request without a reason");

	yyjson_doc_free(doc);
	return rc;
}

int http_finish(struct http_response *r, struct buf *out, struct err *e)
{
	char chunk[16 * 1024];
	ssize_t n;
	int rc;

	while ((n = http_read(r, chunk, sizeof(chunk), e)) > 0) {
		buf_add(out, chunk, (size_t)n);
		if (!buf_ok(out) || out->len > BODY_MAX_BYTES) {
			n = err_set(e, -EFBIG, "the engine's answer is too large");
			break;
		}
	}
	rc = n < 0 ? (int)n : r->status;
	http_close(r);
	return rc >= 400 ? engine_error(rc, out, e) : rc;
}

int http_upgrade(const char *host, const char *target, const char *body,
		 struct http_response *out, struct err *e)
{
	autobuf struct buf said = { 0 };
	struct http_response r;
	int rc = request(host, "POST", target, body, "Connection: Upgrade\r\nUpgrade: tcp\r\n", &r, e);

	if (rc < 0)
		return rc;
	if (r.status == 101) {
		*out = r;
		return 0;
	}
	rc = http_finish(&r, &said, e);
	return rc < 0 ? rc : err_set(e, -EPROTO, "the engine did not take the connection over");
}

int http_call(const char *host, const char *method, const char *target, const char *body,
	      struct buf *out, struct err *e)
{
	struct http_response r;
	int rc = http_request(host, method, target, body, &r, e);

	return rc < 0 ? rc : http_finish(&r, out, e);
}

void http_escape(struct buf *out, const char *text)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			buf_addc(out, *text);
		else
			buf_addf(out, "%%%02X", (unsigned char)*text);
	}
}
