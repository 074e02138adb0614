/* POST /containers/{}/exec, /exec/{}/start and resize, GET /exec/{}/json. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/handlers.h"
#include "api/hijack.h"
#include "api/json.h"
#include "api/request.h"

/* ---- the two bodies ---- */

static int take_size(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	struct exec_spec *spec = member;

	(void)b;
	return body_size(v, &spec->rows, &spec->columns, e);
}

static int take_variables(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	struct string_list *list = member;
	int rc = take_strings(b, list, v, e);

	for (size_t i = 0; !rc && i < list->count; i++)
		if (!strchr(list->items[i], '=') || *list->items[i] == '=')
			rc = err_set(e, -EINVAL, "\"%.100s\" is not NAME=value", list->items[i]);
	return rc;
}

#define EXEC(member) offsetof(struct exec_spec, member)

static const struct body_key create_keys[] = {
	{ "AttachStderr", take_bool, EXEC(err) },
	{ "AttachStdin", take_bool, EXEC(in) },
	{ "AttachStdout", take_bool, EXEC(out) },
	{ "Cmd", take_strings, EXEC(argv) },
	{ "ConsoleSize", take_size, 0 },
	{ "Detach", take_nothing, 0 },     /* the start says it */
	{ "DetachKeys", take_nothing, 0 }, /* the client looks for them */
	{ "Env", take_variables, EXEC(env) },
	{ "Privileged", take_bool, EXEC(privileged) },
	{ "Tty", take_bool, EXEC(tty) },
	{ "User", take_string, EXEC(user) },
	{ "WorkingDir", take_string, EXEC(cwd) },
	{ NULL, NULL, 0 },
};

struct start_wish {
	bool detach;
	struct exec_spec size;
};

static const struct body_key start_keys[] = {
	{ "ConsoleSize", take_size, offsetof(struct start_wish, size) },
	{ "Detach", take_bool, offsetof(struct start_wish, detach) },
	{ "Tty", take_nothing, 0 }, /* as it was created */
	{ NULL, NULL, 0 },
};

static int read_body(struct request *r, const struct body_key *keys, void *out, struct err *e)
{
	struct body b = { 0 };

	return body_parse(&b, buf_text(&r->body), r->body.len, keys, out, e);
}

/* ---- create ---- */

void handle_exec_create(struct request *r)
{
	struct container *c = request_container(r);
	struct exec_spec spec = { 0 };
	struct buf json = { 0 };
	struct err e = { 0 };
	struct exec *x;
	int rc;

	if (!c)
		return;
	rc = read_body(r, create_keys, &spec, &e);
	if (!rc)
		rc = engine_exec_create(c, &spec, &x, &e);
	exec_spec_free(&spec);
	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	json_open(&json, NULL, '{');
	json_string(&json, "Id", x->id);
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_CREATED, &json);
}

static struct exec *find(struct request *r)
{
	struct exec *x;
	struct err e = { 0 };
	int rc = engine_exec_find(r->engine, r->param, &x, &e);

	if (!rc)
		return x;
	reply_errno(r, rc, &e);
	return NULL;
}

/* ---- start ---- */

static int join(struct request *r, struct hijack *h, int fd)
{
	struct exec *x;
	int rc = engine_exec_find(r->engine, h->id, &x, NULL);

	if (!rc)
		rc = engine_exec_attach(x, fd, &h->wish, hijack_over, r, &h->attachment, NULL);
	/* A start that fails is told on the connection, and ends it. */
	if (!rc)
		engine_exec_start(x, NULL, NULL, NULL);
	return rc;
}

static void on_started(void *arg, struct container *c, int rc, const struct err *e)
{
	struct request *r = arg;

	(void)c;
	if (rc < 0)
		reply_errno(r, rc, e);
	else
		reply_empty(r, MHD_HTTP_OK);
	request_answer(r);
}

static void start_detached(struct request *r, struct exec *x)
{
	struct err e = { 0 };
	int rc = engine_exec_start(x, on_started, r, &e);

	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		request_wait(r);
}

void handle_exec_start(struct request *r)
{
	struct exec *x = find(r);
	struct start_wish wish = { 0 };
	struct err e = { 0 };
	int rc;

	if (!x)
		return;
	rc = read_body(r, start_keys, &wish, &e);
	if (!rc)
		rc = engine_exec_check(x, &e);
	if (!rc && !wish.detach && !hijack_asked(r))
		rc = err_set(&e, -EINVAL, "start needs Detach, or the headers \"Connection: Upgrade\" and "
			     "\"Upgrade: tcp\"");
	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	if (wish.size.rows) {
		x->spec.rows = wish.size.rows;
		x->spec.columns = wish.size.columns;
	}
	if (wish.detach)
		start_detached(r, x);
	else
		reply_hijack(r, x->id, &(struct attach_wish){
			.in = x->spec.in, .out = x->spec.out, .err = x->spec.err, .raw = x->spec.tty,
		}, join);
}

/* ---- resize, inspect ---- */

void handle_exec_resize(struct request *r)
{
	struct exec *x = find(r);
	unsigned rows, columns;
	struct err e = { 0 };
	int rc;

	if (!x || !request_size(r, &rows, &columns))
		return;
	rc = engine_exec_resize(x, rows, columns, &e);
	if (rc < 0)
		reply_errno(r, rc, &e);
	else
		reply_empty(r, MHD_HTTP_OK);
}

void handle_exec(struct request *r)
{
	struct exec *x = find(r);
	struct buf json = { 0 };

	if (!x)
		return;
	json_open(&json, NULL, '{');
	json_string(&json, "ID", x->id);
	json_bool(&json, "Running", x->running);
	if (x->ended)
		json_int(&json, "ExitCode", x->exit_code);
	else
		json_raw(&json, "ExitCode", "null");
	json_open(&json, "ProcessConfig", '{');
	json_bool(&json, "tty", x->spec.tty);
	json_string(&json, "entrypoint", x->spec.argv.items[0]);
	json_open(&json, "arguments", '[');
	for (size_t i = 1; i < x->spec.argv.count; i++)
		json_string(&json, NULL, x->spec.argv.items[i]);
	json_close(&json, ']');
	json_bool(&json, "privileged", x->spec.privileged);
	json_string(&json, "user", x->spec.user);
	json_close(&json, '}');
	json_bool(&json, "OpenStdin", x->spec.in);
	json_bool(&json, "OpenStderr", x->spec.err);
	json_bool(&json, "OpenStdout", x->spec.out);
	json_bool(&json, "CanRemove", x->ended);
	json_string(&json, "ContainerID", x->container->id);
	json_string(&json, "DetachKeys", "");
	json_int(&json, "Pid", x->pid);
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}
