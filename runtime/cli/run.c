/* run and create. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/create_body.h"
#include "cli/pull.h"
#include "cli/stream.h"

struct run {
	struct create_options create;
	bool in, out, err, pass_signals;
	char id[65];
};

/* docker's: what could not be run is told by the sentence. */
static int run_failed(const struct err *e)
{
	static const struct { const char *sentence; int code; } rows[] = {
		{ "executable file not found", 127 }, { "no such file or directory", 127 },
		{ "permission denied", 126 }, { "exec format error", 126 }, { "is a directory", 126 },
	};

	cli_fail(e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcasestr(e->text, rows[i].sentence))
			return rows[i].code;
	return EXIT_USAGE;
}

/* -a: which streams; without it all, and stdin only with -i. */
static int choose_streams(struct run *r, struct err *e)
{
	const struct cli_list *attach = &r->create.attach;

	r->out = r->err = !attach->count;
	r->in = !attach->count && r->create.interactive;
	for (size_t i = 0; i < attach->count; i++) {
		bool *stream = !strcasecmp(attach->items[i], "stdin") ? &r->in :
			       !strcasecmp(attach->items[i], "stdout") ? &r->out :
			       !strcasecmp(attach->items[i], "stderr") ? &r->err : NULL;

		if (!stream)
			return err_set(e, -EINVAL, "valid streams are STDIN, STDOUT and STDERR, not \"%s\"",
				       attach->items[i]);
		*stream = true;
	}
	if (attach->count && r->create.detach)
		return err_set(e, -EINVAL, "Conflicting options: -a and -d");
	return 0;
}

static int read_options(const struct cli_command *self, int argc, char **argv, struct run *r,
			int *code)
{
	struct cli_option options[CREATE_FLAGS_MOST];
	size_t count = create_flags(&r->create, options);
	struct err e = { 0 };
	int n;

	r->create.keys = STREAM_DEFAULT_KEYS;
	n = cli_options(self, options, count, argc, argv, argv, code);
	if (n >= 0 && choose_streams(r, &e) < 0) {
		cli_fail(&e);
		*code = EXIT_USAGE;
		return -1;
	}
	return n;
}

static int create_once(struct run *r, bool attach, int count, char **words, struct err *e)
{
	autofree char *body = create_body(&r->create, attach, words[0], count - 1, words + 1, e);
	autobuf struct buf target = { 0 };
	yyjson_doc *doc;

	if (!body)
		return -EINVAL;
	buf_adds(&target, "/containers/create?name=");
	http_escape(&target, r->create.name ? r->create.name : "");
	buf_adds(&target, "&platform=");
	http_escape(&target, r->create.platform ? r->create.platform : "");
	doc = call_json("POST", buf_text(&target), body, e);
	if (!doc)
		return -EIO;
	snprintf(r->id, sizeof(r->id), "%s", yyjson_get_str(yyjson_obj_get(
		 yyjson_doc_get_root(doc), "Id")));
	yyjson_doc_free(doc);
	return 0;
}

/* docker's: an image that is not there is pulled, once. */
static int create_or_pull(struct run *r, bool attach, int count, char **words, struct err *e)
{
	static const char missing[] = "No such image: ";
	autofree char *image = NULL;
	int rc = create_once(r, attach, count, words, e);

	if (rc >= 0 || strncmp(e->text, missing, sizeof(missing) - 1))
		return rc;
	image = strdup(e->text + sizeof(missing) - 1);
	if (!image)
		return err_set(e, -ENOMEM, "out of memory");
	fprintf(stderr, "Unable to find image '%s' locally\n", image);
	rc = pull_image(image, r->create.platform, r->create.quiet ? NULL : stderr, e);
	return rc < 0 ? rc : create_once(r, attach, count, words, e);
}

/* docker refuses a file that is there: it would be another container's. It is made first: no
 * container shall run of which nobody has the ID. */
static int create(struct run *r, bool attach, int count, char **words, struct err *e)
{
	const char *path = r->create.cidfile;
	autoclose int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
	int rc;

	if (path && fd < 0)
		return err_sys(e, "container ID file \"%s\"", path);
	rc = create_or_pull(r, attach, count, words, e);
	if (path && rc < 0)
		unlink(path);
	if (!path || rc < 0)
		return rc;
	rc = file_write_all(fd, r->id, strlen(r->id));
	return rc < 0 ? err_code(e, rc, "write \"%s\"", path) : 0;
}

static int start(const struct run *r, struct err *e)
{
	autobuf struct buf target = { 0 }, answer = { 0 };

	call_target(&target, r->id, "/start");
	return http_call(cli_host(), "POST", buf_text(&target), NULL, &answer, e);
}

/* Streams and wait are there before the start: nothing that comes of it is missed. */
static int join(const struct run *r, struct stream *s, struct http_response *wait, struct err *e)
{
	autobuf struct buf target = { 0 }, waited = { 0 };
	int rc;

	call_target(&target, r->id, "/attach?stream=1");
	buf_addf(&target, "&stdin=%d&stdout=%d&stderr=%d", s->in, r->out, r->err);
	call_target(&waited, r->id, r->create.remove ? "/wait?condition=removed" :
						       "/wait?condition=next-exit");
	rc = http_upgrade(cli_host(), buf_text(&target), NULL, s->http, e);
	if (rc < 0)
		return rc;
	rc = http_request(cli_host(), "POST", buf_text(&waited), NULL, wait, e);
	if (!rc) {
		rc = start(r, e);
		if (rc < 0)
			http_close(wait);
	}
	if (rc < 0)
		http_close(s->http);
	return rc < 0 ? rc : 0;
}

static int run_attached(struct run *r, struct stream *s, struct err *e)
{
	autobuf struct buf size = { 0 }, signals = { 0 };
	struct http_response http, wait;
	int rc;

	call_target(&size, r->id, "/resize");
	call_target(&signals, r->id, "/kill?signal=");
	s->http = &http;
	s->resize = buf_text(&size);
	s->kill = s->tty || !r->pass_signals ? NULL : buf_text(&signals);
	rc = join(r, s, &wait, e);
	if (rc < 0)
		return run_failed(e);
	rc = stream_run(s, e);
	http_close(&http);
	if (rc == STREAM_ENDED)
		return call_wait_code(&wait);
	http_close(&wait);
	return rc < 0 ? cli_fail(e) : EXIT_OK;
}

int cmd_run(const struct cli_command *self, int argc, char **argv)
{
	struct run r = { .out = false };
	struct stream s = { .http = NULL };
	struct err e = { 0 };
	int code, n = read_options(self, argc, argv, &r, &code);

	if (n < 0)
		return code;
	s.tty = r.create.tty;
	s.in = r.in;
	r.pass_signals = !r.create.sig_proxy || strcmp(r.create.sig_proxy, "false");
	if (stream_keys_parse(r.create.keys, &s.keys, &e) < 0 ||
	    (!r.create.detach && s.tty && s.in && call_terminal(&e) < 0)) {
		cli_fail(&e);
		return EXIT_USAGE;
	}
	if (create(&r, !r.create.detach, n, argv, &e) < 0) {
		cli_fail(&e);
		return EXIT_USAGE;
	}
	if (!r.create.detach)
		return run_attached(&r, &s, &e);
	if (start(&r, &e) < 0)
		return run_failed(&e);
	puts(r.id);
	return EXIT_OK;
}

int cmd_create(const struct cli_command *self, int argc, char **argv)
{
	struct run r = { .out = false };
	struct err e = { 0 };
	int code, n = read_options(self, argc, argv, &r, &code);

	if (n < 0)
		return code;
	if (create(&r, true, n, argv, &e) < 0)
		return cli_fail(&e);
	puts(r.id);
	return EXIT_OK;
}
