/* logs: a container's output, which the engine sends as docker does, framed by stream. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/http.h"
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

	buf_adds(&target, "/containers/");
	http_escape(&target, name);
	buf_adds(&target, "/json");
	return http_call(cli_host(), "GET", buf_text(&target), NULL, &body, NULL) == 200 &&
	       strstr(buf_text(&body), "\"Tty\":true");
}

int cmd_logs(const struct cli_command *self, int argc, char **argv)
{
	bool follow = false, timestamps = false;
	const char *tail = "all";
	const struct cli_option options[] = {
		{ 'f', "follow", NULL, "Follow log output", &follow, NULL, NULL },
		{ 'n', "tail", "N", "Number of lines to show from the end", NULL, &tail, NULL },
		{ 't', "timestamps", NULL, "Show timestamps", &timestamps, NULL, NULL },
	};
	autobuf struct buf target = { 0 }, body = { 0 };
	struct http_response r;
	struct err e = { 0 };
	int code, rc;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	buf_adds(&target, "/containers/");
	http_escape(&target, argv[0]);
	buf_addf(&target, "/logs?stdout=1&stderr=1&follow=%d&timestamps=%d&tail=", follow, timestamps);
	http_escape(&target, tail);
	rc = http_request(cli_host(), "GET", buf_text(&target), NULL, &r, &e);
	if (rc < 0)
		return cli_fail(&e);
	if (r.status != 200) {
		http_close(&r);
		/* The same request again as a whole exchange, for the engine's sentence. */
		http_call(cli_host(), "GET", buf_text(&target), NULL, &body, &e);
		return cli_fail(&e);
	}
	rc = copy_stream(&r, has_tty(argv[0]), &e);
	http_close(&r);
	return rc < 0 ? cli_fail(&e) : EXIT_OK;
}
