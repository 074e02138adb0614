/* logs: a container's output, which the engine sends as docker does, framed by stream. A name that
 * no container has is a service's, or "kernel"; no name: the whole machine. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/hostlog.h"
#include "cli/http.h"
#include "cli/query.h"
#include "cli/stream.h"

static int copy_stream(struct http_response *r, bool raw, struct err *e)
{
	autobuf struct buf pending = { 0 };
	char chunk[16 * 1024];
	ssize_t n, rc;

	while ((n = http_read(r, chunk, sizeof(chunk), e)) > 0) {
		if (raw) {
			rc = file_write_all(STDOUT_FILENO, chunk, (size_t)n);
		} else {
			buf_add(&pending, chunk, (size_t)n);
			rc = buf_ok(&pending) ? stream_unframe(&pending) : -ENOMEM;
		}
		if (rc == -EPIPE)
			return 0;
		if (rc < 0)
			return err_code(e, (int)rc, "log stream");
	}
	return (int)n;
}

static bool has_tty(const char *name)
{
	autobuf struct buf target = { 0 }, body = { 0 };

	call_target(&target, name, "/json");
	return http_call(cli_host(), "GET", buf_text(&target), NULL, &body, NULL) == 200 &&
	       strstr(buf_text(&body), "\"Tty\":true");
}

struct wish {
	const char *name, *tail, *since, *until;
	bool follow;
};

static int show_machine(const struct wish *w, struct err *e)
{
	char since[HOSTLOG_TIME_MAX] = "", until[HOSTLOG_TIME_MAX] = "";
	struct hostlog_options o = { .name = w->name, .tail = -1, .since = since, .until = until,
				     .follow = w->follow, .to = stdout };

	if ((strcmp(w->tail, "all") != 0 && cli_number("tail", w->tail, LONG_MAX, &o.tail, e) < 0) ||
	    (w->since && hostlog_time(w->since, since, e) < 0) ||
	    (w->until && hostlog_time(w->until, until, e) < 0) || hostlog_show(&o, e) < 0)
		return cli_fail(e);
	return EXIT_OK;
}

int cmd_logs(const struct cli_command *self, int argc, char **argv)
{
	struct wish w = { .tail = "all" };
	bool timestamps = false, machine = false;
	const struct cli_option options[] = {
		{ 'f', "follow", NULL, "Follow log output", &w.follow, NULL, NULL },
		{ 0, "details", .help = "containers' logs have no extra details here" },
		{ 0, "since", "TIME", "What was written since (10m, or a point in time)", NULL, &w.since, NULL },
		{ 0, "until", "TIME", "What was written before", NULL, &w.until, NULL },
		{ 'n', "tail", "N", "Number of lines to show from the end", NULL, &w.tail, NULL },
		{ 't', "timestamps", NULL, "Show timestamps", &timestamps, NULL, NULL },
		{ 0, "machine", NULL, "NAME is a service's, although a container has it too", &machine, NULL,
		  NULL },
	};
	autobuf struct buf target = { 0 }, body = { 0 };
	struct http_response r;
	struct err e = { 0 };
	int code, rc, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	w.name = n ? argv[0] : NULL;
	if (n == 0 || machine)
		return show_machine(&w, &e);
	call_target(&target, argv[0], "");
	buf_addf(&target, "/logs?stdout=1&stderr=1&follow=%d&timestamps=%d&tail=", w.follow, timestamps);
	http_escape(&target, w.tail);
	query_time(&target, "since", w.since);
	query_time(&target, "until", w.until);
	rc = http_request(cli_host(), "GET", buf_text(&target), NULL, &r, &e);
	if (rc < 0) {
		cli_fail(&e);
		/* That is told and is not in the way: the engine's own log may say why. */
		return hostlog_exists(argv[0]) ? show_machine(&w, &e) : EXIT_FAILED;
	}
	if (r.status != 200) {
		http_close(&r);
		if (r.status == 404 && hostlog_exists(argv[0]))
			return show_machine(&w, &e);
		/* The same request again as a whole exchange, for the engine's sentence. */
		http_call(cli_host(), "GET", buf_text(&target), NULL, &body, &e);
		return cli_fail(&e);
	}
	rc = copy_stream(&r, has_tty(argv[0]), &e);
	http_close(&r);
	return rc < 0 ? cli_fail(&e) : EXIT_OK;
}
