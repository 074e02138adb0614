/* services, config, version and the power commands. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/initctl.h"
#include "cli/cli.h"
#include "cli/config_show.h"
#include "cli/hide.h"
#include "cli/human.h"
#include "cli/json.h"
#include "cli/table.h"

enum { CONFIG_MAX_BYTES = 4 * 1024 * 1024 };

static int print_services(void)
{
	static const char *const head[] = { "SERVICE", "STATE", "PID", "RESTARTS", "SINCE" };
	autobuf struct buf answer = { 0 };
	struct err e = { 0 };
	struct table *t;
	yyjson_doc *doc;
	yyjson_val *s;
	size_t i, max;

	if (initctl_ask("status", &answer, &e) < 0)
		return cli_fail(&e);
	doc = yyjson_read(buf_text(&answer), answer.len, 0);
	t = table_new(head, ARRAY_LEN(head));
	yyjson_arr_foreach(yyjson_obj_get(yyjson_doc_get_root(doc), "services"), i, max, s) {
		long long pid = yyjson_get_sint(yyjson_obj_get(s, "pid"));
		int64_t since = yyjson_get_sint(yyjson_obj_get(s, "since_ms"));
		char pid_text[24] = "-", restarts[24], age[HUMAN_MAX];

		if (pid > 0)
			snprintf(pid_text, sizeof(pid_text), "%lld", pid);
		snprintf(restarts, sizeof(restarts), "%lld",
			 (long long)yyjson_get_sint(yyjson_obj_get(s, "restarts")));
		human_duration((clock_boot_ms() - since) / 1000, age);
		table_row(t, (const char *[]){ yyjson_get_str(yyjson_obj_get(s, "name")),
					       yyjson_get_str(yyjson_obj_get(s, "state")), pid_text,
					       restarts, age });
	}
	table_print(t);
	table_free(t);
	yyjson_doc_free(doc);
	return EXIT_OK;
}

int cmd_services(const struct cli_command *self, int argc, char **argv)
{
	static const char *const verbs[] = { "start", "stop", "restart" };
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code);

	if (n < 0)
		return code;
	if (n == 0)
		return print_services();
	for (size_t i = 0; n == 2 && i < ARRAY_LEN(verbs); i++) {
		autobuf struct buf request = { 0 }, answer = { 0 };
		struct err e = { 0 };

		if (strcmp(argv[0], verbs[i]) != 0)
			continue;
		buf_addf(&request, "%s %s", verbs[i], argv[1]);
		return initctl_ask(buf_text(&request), &answer, &e) < 0 ? cli_fail(&e) : EXIT_OK;
	}
	fprintf(stderr, "berth services: expected start, stop or restart and a service's name\n");
	return EXIT_USAGE;
}

/* Over somebody's shoulder, into a ticket: who needs the secrets reads the file itself. */
static int config_show(bool json)
{
	autobuf struct buf text = { 0 }, hidden = { 0 }, out = { 0 };
	autodoc yyjson_doc *whole = NULL, *shown = NULL;
	struct config_show what = { .config = NULL };
	struct err e = { 0 };
	int rc;

	if (file_read_at(AT_FDCWD, "/run/berth/config.json", CONFIG_MAX_BYTES, &text, &e) < 0)
		return cli_fail(&e);
	if (hide_json(buf_text(&text), text.len, &hidden) == 0) {
		whole = yyjson_read(buf_text(&text), text.len, 0);
		shown = yyjson_read(buf_text(&hidden), hidden.len, 0);
	}
	if (!whole || !shown) {
		err_set(&e, -EBADMSG, "\"/run/berth/config.json\" is damaged");
		return cli_fail(&e);
	}
	what.config = yyjson_doc_get_root(shown);
	what.origins = yyjson_obj_get(yyjson_doc_get_root(whole), "origins");
	rc = json ? config_show_json(&what, &out) : config_show_text(&what, &out);
	if (rc < 0) {
		err_set(&e, rc, "there is not enough memory to show it");
		return cli_fail(&e);
	}
	printf("%s%s", buf_text(&out), json ? "\n" : "");
	return EXIT_OK;
}

int cmd_config(const struct cli_command *self, int argc, char **argv)
{
	/* YAML is parsed by a program of its own, which holds nothing worth taking. */
	static const char bootcfg[] = "/usr/lib/berth/bootcfg";
	static const struct {
		const char *typed, *verb;
		int words;
	} verbs[] = {
		{ "check", "check", 2 }, { "diff", "diff", 2 },     { "apply", "apply", 2 },
		{ "edit", "edit", 1 },    { "confirm", "keep", 1 },  { "forget", "forget", 1 },
		{ "explain", "explain", 1 }, { "explain", "explain", 2 }, { "schema", "schema", 1 },
	};
	const char *within = NULL;
	bool json = false;
	const struct cli_option options[] = {
		{ 0, "json", NULL, "show: as JSON", &json, NULL, NULL },
		{ 0, "confirm-within", "TIME", "apply, edit: change it back after this time (60s), unless "
		  "confirmed", NULL, &within, NULL },
	};
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code);

	if (n < 0)
		return code;
	if (n == 1 && !within && !strcmp(argv[0], "show"))
		return config_show(json);
	for (size_t i = 0; i < ARRAY_LEN(verbs) && !json; i++) {
		if (n != verbs[i].words || strcmp(argv[0], verbs[i].typed) != 0 ||
		    (within && strcmp(argv[0], "apply") != 0 && strcmp(argv[0], "edit") != 0))
			continue;
		execl(bootcfg, bootcfg, verbs[i].verb, n > 1 ? argv[1] : within, n > 1 ? within : NULL,
		      (char *)NULL);
		err_sys(&e, "start \"%s\"", bootcfg);
		return cli_fail(&e);
	}
	fprintf(stderr, "berth config: expected %s\n", self->arguments);
	return EXIT_USAGE;
}

/* What parses other people's bytes is a program of its own, options and help included. */
int cmd_helper(const struct cli_command *self, int argc, char **argv)
{
	char path[64];
	struct err e = { 0 };

	(void)argc;
	snprintf(path, sizeof(path), "/usr/lib/berth/%s", self->name);
	execv(path, argv);
	err_sys(&e, "start \"%s\"", path);
	return cli_fail(&e);
}

int cmd_power(const struct cli_command *self, int argc, char **argv)
{
	bool rescue = false;
	const struct cli_option options[] = {
		{ 0, "rescue", NULL, "The next boot reads no configuration and runs no container", &rescue,
		  NULL, NULL },
	};
	size_t count = strcmp(self->name, "reboot") ? 0 : ARRAY_LEN(options);
	autobuf struct buf answer = { 0 };
	struct err e = { 0 };
	int code;

	if (cli_options(self, options, count, argc, argv, argv, &code) < 0)
		return code;
	return initctl_ask(rescue ? "rescue" : self->name, &answer, &e) < 0 ? cli_fail(&e) : EXIT_OK;
}

int cmd_version(const struct cli_command *self, int argc, char **argv)
{
	struct utsname kernel;
	int code;

	if (cli_options(self, NULL, 0, argc, argv, argv, &code) < 0)
		return code;
	printf("Berth %s\n", BERTH_VERSION);
	if (!uname(&kernel))
		printf("%s %s (%s)\n", kernel.sysname, kernel.release, kernel.machine);
	return EXIT_OK;
}
