#include "cli/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/json.h"

yyjson_doc *call_json(const char *method, const char *target, const char *body, struct err *e)
{
	autobuf struct buf answer = { 0 };
	int rc = http_call(cli_host(), method, target, body, &answer, e);
	yyjson_doc *doc = rc < 0 ? NULL : yyjson_read(buf_text(&answer), answer.len, 0);

	if (!doc && rc >= 0)
		err_set(e, -EPROTO, "the engine's answer is no JSON");
	return doc;
}

void call_target(struct buf *out, const char *name, const char *tail)
{
	buf_adds(out, "/containers/");
	http_escape(out, name);
	buf_adds(out, tail);
}

int call_terminal(struct err *e)
{
	return isatty(STDIN_FILENO) ? 0 : err_set(e, -ENOTTY, "the input device is not a TTY");
}

int call_exit_code(const struct buf *answer, struct err *e)
{
	autodoc yyjson_doc *doc = yyjson_read(buf_text(answer), answer->len, 0);
	yyjson_val *code = yyjson_obj_get(yyjson_doc_get_root(doc), "StatusCode");

	if (!yyjson_is_int(code) || yyjson_get_int(code) < 0)
		return err_set(e, -EPROTO, "the engine's answer has no exit code");
	return yyjson_get_int(code);
}

int call_wait_code(struct http_response *wait)
{
	autobuf struct buf answer = { 0 };
	struct err e = { 0 };
	int code = http_finish(wait, &answer, &e);

	if (code >= 0)
		code = call_exit_code(&answer, &e);
	return code < 0 ? cli_fail(&e) : code;
}

int call_pour(struct http_response *r, int to, struct err *e)
{
	char chunk[32 * 1024];
	ssize_t n;

	while ((n = http_read(r, chunk, sizeof(chunk), e)) > 0) {
		int rc = file_write_all(to, chunk, (size_t)n);

		if (rc < 0)
			return rc == -EPIPE ? rc : err_code(e, rc, "write the archive");
	}
	return (int)n;
}

/* Beside the file first: what broke off is none. */
static int download_to(struct http_response *r, const char *file, struct err *e)
{
	autofree char *part = NULL;
	autoclose int fd = -1;
	int rc;

	if (asprintf(&part, "%s.part", file) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "open \"%s\"", part);
	rc = call_pour(r, fd, e);
	if (!rc && rename(part, file) < 0)
		rc = err_sys(e, "write \"%s\"", file);
	if (rc < 0)
		unlink(part);
	return rc;
}

int call_download(const char *target, const char *file, struct err *e)
{
	autobuf struct buf ignored = { 0 };
	struct http_response r;
	int rc;

	if (!file && isatty(STDOUT_FILENO))
		return err_set(e, -EINVAL, "cowardly refusing to write an archive to a terminal. Use the "
			       "-o flag or redirect");
	rc = http_request(cli_host(), "GET", target, NULL, &r, e);
	if (rc < 0)
		return rc;
	if (r.status >= 400)
		return http_finish(&r, &ignored, e);
	rc = file ? download_to(&r, file, e) : call_pour(&r, STDOUT_FILENO, e);
	http_close(&r);
	return rc;
}
