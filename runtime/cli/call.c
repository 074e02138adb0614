#include "cli/call.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"

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

int call_wait_code(struct http_response *wait)
{
	autobuf struct buf answer = { 0 };
	struct err e = { 0 };
	yyjson_doc *doc;
	int code;

	if (http_finish(wait, &answer, &e) < 0)
		return cli_fail(&e);
	doc = yyjson_read(buf_text(&answer), answer.len, 0);
	code = yyjson_get_int(yyjson_obj_get(yyjson_doc_get_root(doc), "StatusCode"));
	yyjson_doc_free(doc);
	return code;
}
