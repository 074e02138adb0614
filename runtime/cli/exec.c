/* exec and attach: a program's streams on this terminal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/create_body.h"
#include "cli/http.h"
#include "cli/stream.h"

enum { EXIT_UNKNOWN = 255 };

/* ---- exec ---- */

struct exec_options {
	bool detach, interactive, tty, privileged;
	const char *user, *cwd, *keys;
	struct cli_list env, env_files, lines;
};

static char *exec_body(const struct exec_options *o, int count, char **words)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *cmd = yyjson_mut_arr(doc);
	yyjson_mut_val *env = yyjson_mut_arr(doc);
	char *text;

	yyjson_mut_doc_set_root(doc, root);
	for (int i = 0; i < count; i++)
		yyjson_mut_arr_add_str(doc, cmd, words[i]);
	for (size_t i = 0; i < o->lines.count; i++)
		yyjson_mut_arr_add_str(doc, env, o->lines.items[i]);
	for (size_t i = 0; i < o->env.count; i++)
		yyjson_mut_arr_add_str(doc, env, o->env.items[i]);
	yyjson_mut_obj_add_val(doc, root, "Cmd", cmd);
	yyjson_mut_obj_add_val(doc, root, "Env", env);
	yyjson_mut_obj_add_str(doc, root, "User", o->user);
	yyjson_mut_obj_add_str(doc, root, "WorkingDir", o->cwd);
	yyjson_mut_obj_add_bool(doc, root, "Privileged", o->privileged);
	yyjson_mut_obj_add_bool(doc, root, "Tty", o->tty);
	yyjson_mut_obj_add_bool(doc, root, "AttachStdin", o->interactive && !o->detach);
	yyjson_mut_obj_add_bool(doc, root, "AttachStdout", !o->detach);
	yyjson_mut_obj_add_bool(doc, root, "AttachStderr", !o->detach);
	text = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	return text;
}

static int exec_code(const char *id)
{
	autobuf struct buf target = { 0 };
	struct err e = { 0 };
	yyjson_doc *doc;
	yyjson_val *code;
	int rc;

	buf_addf(&target, "/exec/%s/json", id);
	doc = call_json("GET", buf_text(&target), NULL, &e);
	if (!doc)
		return cli_fail(&e);
	code = yyjson_obj_get(yyjson_doc_get_root(doc), "ExitCode");
	rc = yyjson_is_int(code) ? yyjson_get_int(code) : EXIT_UNKNOWN;
	yyjson_doc_free(doc);
	return rc;
}

static int exec_attached(const char *id, const struct exec_options *o, struct err *e)
{
	autobuf struct buf target = { 0 }, size = { 0 };
	struct http_response http;
	struct stream s = { .http = &http, .tty = o->tty, .in = o->interactive };
	int rc = stream_keys_parse(o->keys, &s.keys, e);

	buf_addf(&target, "/exec/%s/start", id);
	buf_addf(&size, "/exec/%s/resize", id);
	s.resize = buf_text(&size);
	if (!rc)
		rc = http_upgrade(cli_host(), buf_text(&target),
				  o->tty ? "{\"Tty\":true}" : "{\"Tty\":false}", &http, e);
	if (rc < 0)
		return cli_fail(e);
	rc = stream_run(&s, e);
	http_close(&http);
	if (rc < 0)
		return cli_fail(e);
	return rc == STREAM_DETACHED ? EXIT_OK : exec_code(id);
}

static int exec_start(const char *id, const struct exec_options *o, struct err *e)
{
	autobuf struct buf target = { 0 }, answer = { 0 };

	if (!o->detach)
		return exec_attached(id, o, e);
	buf_addf(&target, "/exec/%s/start", id);
	if (http_call(cli_host(), "POST", buf_text(&target), "{\"Detach\":true}", &answer, e) < 0)
		return cli_fail(e);
	return EXIT_OK;
}

int cmd_exec(const struct cli_command *self, int argc, char **argv)
{
	struct exec_options o = { .user = "", .cwd = "", .keys = STREAM_DEFAULT_KEYS };
	const struct cli_option options[] = {
		{ 'd', "detach", NULL, "Do not wait for it", &o.detach, NULL, NULL },
		{ 'i', "interactive", NULL, "Send stdin", &o.interactive, NULL, NULL },
		{ 't', "tty", NULL, "With a terminal", &o.tty, NULL, NULL },
		{ 'e', "env", "NAME=VALUE", "Set a variable", NULL, NULL, &o.env },
		{ 0, "env-file", "FILE", "Set the variables that it lists", NULL, NULL, &o.env_files },
		{ 0, "privileged", NULL, "With every capability", &o.privileged, NULL, NULL },
		{ 'u', "user", "USER[:GROUP]", "Run as this user", NULL, &o.user, NULL },
		{ 'w', "workdir", "DIR", "Run in this directory", NULL, &o.cwd, NULL },
		{ 0, "detach-keys", "KEYS", "Keys that detach (" STREAM_DEFAULT_KEYS ")", NULL, &o.keys, NULL },
	};
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);
	autobuf struct buf target = { 0 };
	autofree char *body = NULL;
	struct err e = { 0 };
	yyjson_doc *doc;

	if (n < 0)
		return code;
	if (o.tty && o.interactive && call_terminal(&e) < 0)
		return cli_fail(&e);
	if (create_read_lines(&o.env_files, &o.lines, &e) < 0)
		return cli_fail(&e);
	body = exec_body(&o, n - 1, argv + 1);
	call_target(&target, argv[0], "/exec");
	doc = body ? call_json("POST", buf_text(&target), body, &e) : NULL;
	if (!doc)
		return cli_fail(&e);
	code = exec_start(yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "Id")), &o, &e);
	yyjson_doc_free(doc);
	return code;
}

/* ---- attach ---- */

/* What the container was made with; 0 or -errno. */
static int look(const char *name, bool *tty, bool *in, struct err *e)
{
	autobuf struct buf target = { 0 };
	yyjson_doc *doc;
	yyjson_val *root;
	bool running;

	call_target(&target, name, "/json");
	doc = call_json("GET", buf_text(&target), NULL, e);
	if (!doc)
		return -ENOENT;
	root = yyjson_doc_get_root(doc);
	running = yyjson_get_bool(yyjson_obj_get(yyjson_obj_get(root, "State"), "Running"));
	*tty = yyjson_get_bool(yyjson_obj_get(yyjson_obj_get(root, "Config"), "Tty"));
	*in = yyjson_get_bool(yyjson_obj_get(yyjson_obj_get(root, "Config"), "OpenStdin"));
	yyjson_doc_free(doc);
	return running ? 0 : err_set(e, -EINVAL, "You cannot attach to a stopped container, start it "
				     "first");
}

/* The wait is there before the streams: an exit between the two is not missed. */
static int attach(const char *name, struct stream *s, struct err *e)
{
	autobuf struct buf target = { 0 }, wait_target = { 0 };
	struct http_response http, wait;
	int rc;

	call_target(&wait_target, name, "/wait");
	call_target(&target, name, s->in ? "/attach?stream=1&stdout=1&stderr=1&stdin=1" :
						"/attach?stream=1&stdout=1&stderr=1");
	rc = http_request(cli_host(), "POST", buf_text(&wait_target), NULL, &wait, e);
	if (rc < 0)
		return cli_fail(e);
	rc = http_upgrade(cli_host(), buf_text(&target), NULL, &http, e);
	if (!rc) {
		s->http = &http;
		rc = stream_run(s, e);
		http_close(&http);
	}
	if (rc == STREAM_ENDED)
		return call_wait_code(&wait);
	http_close(&wait);
	return rc < 0 ? cli_fail(e) : EXIT_OK;
}

int cmd_attach(const struct cli_command *self, int argc, char **argv)
{
	const char *keys = STREAM_DEFAULT_KEYS, *proxy = "true";
	bool no_stdin = false;
	const struct cli_option options[] = {
		{ 0, "sig-proxy", "true|false", "Pass signals on (true)", NULL, &proxy, NULL },
		{ 0, "no-stdin", NULL, "Do not send stdin", &no_stdin, NULL, NULL },
		{ 0, "detach-keys", "KEYS", "Keys that detach (" STREAM_DEFAULT_KEYS ")", NULL, &keys, NULL },
	};
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);
	autobuf struct buf size = { 0 }, kill_target = { 0 };
	struct stream s = { .http = NULL };
	struct err e = { 0 };
	bool in;

	if (n < 0)
		return code;
	if (stream_keys_parse(keys, &s.keys, &e) < 0 || look(argv[0], &s.tty, &in, &e) < 0)
		return cli_fail(&e);
	s.in = in && !no_stdin;
	if (s.tty && s.in && call_terminal(&e) < 0)
		return cli_fail(&e);
	call_target(&size, argv[0], "/resize");
	call_target(&kill_target, argv[0], "/kill?signal=");
	s.resize = buf_text(&size);
	s.kill = s.tty || !strcmp(proxy, "false") ? NULL : buf_text(&kill_target);
	return attach(argv[0], &s, &e);
}
