/* start, stop, restart, kill, pause, unpause, rm, rename, wait: one request per container, its name
 * printed when it is done. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/cli.h"
#include "cli/http.h"

/* `tail`: what follows the name in the address, "/start" and its query. */
static int each(int count, char **names, const char *method, const char *tail)
{
	int code = EXIT_OK;

	for (int i = 0; i < count; i++) {
		autobuf struct buf target = { 0 }, body = { 0 };
		struct err e = { 0 };

		call_target(&target, names[i], tail);
		if (http_call(cli_host(), method, buf_text(&target), NULL, &body, &e) < 0)
			code = cli_fail(&e);
		else
			puts(names[i]);
	}
	return code;
}

int cmd_start(const struct cli_command *self, int argc, char **argv)
{
	static const char why[] = "use run, or attach once it runs";
	const struct cli_option options[] = {
		{ 'a', "attach", .help = why }, { 'i', "interactive", .help = why },
		{ 0, "checkpoint", .help = "there are no checkpoints" },
		{ 0, "checkpoint-dir", .help = "there are no checkpoints" },
		{ 0, "detach-keys", .help = why },
	};
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	return n < 0 ? code : each(n, argv, "POST", "/start");
}

static int with_timeout(const struct cli_command *self, int argc, char **argv)
{
	const char *seconds = NULL, *signal_name = "";
	const struct cli_option options[] = {
		{ 's', "signal", "SIGNAL", "Instead of the container's own", NULL, &signal_name, NULL },
		{ 0, "time", "SECONDS", "The same as --timeout", NULL, &seconds, NULL },
		{ 't', "timeout", "SECONDS", "Time to wait before the container is killed", NULL,
		  &seconds, NULL },
	};
	autobuf struct buf tail = { 0 };
	struct err e = { 0 };
	long t;
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	buf_addf(&tail, "/%s?signal=", self->name);
	http_escape(&tail, signal_name);
	if (seconds) {
		if (cli_number("timeout", seconds, 86400, &t, &e) < 0)
			return cli_fail(&e);
		buf_addf(&tail, "&t=%ld", t);
	}
	return each(n, argv, "POST", buf_text(&tail));
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
		{ 's', "signal", "SIGNAL", "Signal to send (default KILL)", NULL, &signal_name, NULL },
	};
	autobuf struct buf tail = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	buf_adds(&tail, "/kill?signal=");
	http_escape(&tail, signal_name);
	return each(n, argv, "POST", buf_text(&tail));
}

int cmd_pause(const struct cli_command *self, int argc, char **argv)
{
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);

	return n < 0 ? code : each(n, argv, "POST", "/pause");
}

int cmd_unpause(const struct cli_command *self, int argc, char **argv)
{
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);

	return n < 0 ? code : each(n, argv, "POST", "/unpause");
}

int cmd_rm(const struct cli_command *self, int argc, char **argv)
{
	bool force = false, volumes = false;
	const struct cli_option options[] = {
		{ 'l', "link", .help = "there are no links" },
		{ 'f', "force", NULL, "Kill it first if it runs", &force, NULL, NULL },
		{ 'v', "volumes", NULL, "Remove its anonymous volumes as well", &volumes, NULL, NULL },
	};
	char tail[32];
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	snprintf(tail, sizeof(tail), "?force=%d&v=%d", force, volumes);
	return each(n, argv, "DELETE", tail);
}

int cmd_rename(const struct cli_command *self, int argc, char **argv)
{
	autobuf struct buf target = { 0 }, body = { 0 };
	struct err e = { 0 };
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);

	if (n < 0)
		return code;
	call_target(&target, argv[0], "/rename?name=");
	http_escape(&target, argv[1]);
	if (http_call(cli_host(), "POST", buf_text(&target), NULL, &body, &e) < 0)
		return cli_fail(&e);
	return EXIT_OK;
}

/* One after the other, as docker: the codes come in the order of the names. */
int cmd_wait(const struct cli_command *self, int argc, char **argv)
{
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);

	if (n < 0)
		return code;
	code = EXIT_OK;
	for (int i = 0; i < n; i++) {
		autobuf struct buf target = { 0 }, body = { 0 };
		struct err e = { 0 };
		int rc;

		call_target(&target, argv[i], "/wait");
		rc = http_call(cli_host(), "POST", buf_text(&target), NULL, &body, &e);
		if (rc >= 0)
			rc = call_exit_code(&body, &e);
		if (rc < 0)
			code = cli_fail(&e);
		else
			printf("%d\n", rc);
	}
	return code;
}
