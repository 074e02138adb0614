#include "cli/call.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
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
