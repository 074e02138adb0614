/* start, stop, restart, kill: one request per container, its name printed when it is done. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/http.h"

static int each(int count, char **names, const char *verb, const char *query)
{
	int code = EXIT_OK;

	for (int i = 0; i < count; i++) {
		autobuf struct buf target = { 0 }, body = { 0 };
		struct err e = { 0 };

		buf_adds(&target, "/containers/");
		http_escape(&target, names[i]);
		buf_addf(&target, "/%s%s", verb, query);
		if (http_call(cli_host(), "POST", buf_text(&target), NULL, &body, &e) < 0)
			code = cli_fail(&e);
		else
			puts(names[i]);
	}
	return code;
}

int cmd_start(const struct cli_command *self, int argc, char **argv)
{
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);

	return n < 0 ? code : each(n, argv, "start", "");
}

static int with_timeout(const struct cli_command *self, int argc, char **argv)
{
	const char *seconds = NULL;
	const struct cli_option options[] = {
		{ 't', "timeout", "SECONDS", "Time to wait before the container is killed", NULL,
		  &seconds },
	};
	autobuf struct buf query = { 0 };
	struct err e = { 0 };
	long t;
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	if (seconds) {
		if (cli_number("timeout", seconds, 86400, &t, &e) < 0)
			return cli_fail(&e);
		buf_addf(&query, "?t=%ld", t);
	}
	return each(n, argv, self->name, buf_text(&query));
}

int cmd_stop(const struct cli_command *self, int argc, char **argv)
{
	return with_timeout(self, argc, argv);
}

int cmd_restart(const struct cli_command *self, int argc, char **argv)
{
	return with_timeout(self, argc, argv);
}

int cmd_kill(const struct cli_command *self, int argc, char **argv)
{
	const char *signal_name = "KILL";
	const struct cli_option options[] = {
		{ 's', "signal", "SIGNAL", "Signal to send (default KILL)", NULL, &signal_name },
	};
	autobuf struct buf query = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	buf_adds(&query, "?signal=");
	http_escape(&query, signal_name);
	return each(n, argv, "kill", buf_text(&query));
}
