/* berth-oci: the OCI runtime's command line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "oci/args.h"
#include "oci/commands.h"
#include "oci/report.h"
#include "spec/oci.h"

#ifndef BERTH_VERSION
#define BERTH_VERSION "development"
#endif

static const struct {
	const char *name, *usage, *help;
	int (*run)(const struct options *o, int argc, char **argv, struct err *e);
} commands[] = {
	{ "create", "[-b DIR] [--console-socket PATH] [--pid-file FILE] [--preserve-fds N] ID",
	  "make a container that waits for \"start\"", cmd_create },
	{ "start", "ID", "run a created container's program", cmd_start },
	{ "state", "ID", "print a container's state as JSON", cmd_state },
	{ "kill", "[-a] ID [SIGNAL]", "send a signal (TERM) to its first process, or to all",
	  cmd_kill },
	{ "delete", "[-f] ID", "remove what is left of a stopped container, or kill and remove it",
	  cmd_delete },
	{ "seccomp-cache", "FILE", "compile the default filter into FILE (done when an image is built)",
	  cmd_seccomp_cache },
};

struct global {
	struct options options;
	const char *log, *log_format;
	bool debug, systemd_cgroup, version, help;
};

static void print_help(void)
{
	printf("Usage: berth-oci [OPTION...] COMMAND ...\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %s %s\n      %s\n", commands[i].name, commands[i].usage,
		       commands[i].help);
	printf("\nOptions:\n"
	       "  --root DIR            where state is kept (/run/berth/oci)\n"
	       "  --log FILE            append errors to FILE\n"
	       "  --log-format FORMAT   text or json\n"
	       "  --debug               accepted for runc's callers\n"
	       "  -v, --version\n");
}

static int parse_global(struct global *g, int argc, char **argv, struct err *e)
{
	const struct arg rows[] = {
		{ "root", 0, NULL, &g->options.root, NULL },
		{ "log", 0, NULL, &g->log, NULL },
		{ "log-format", 0, NULL, &g->log_format, NULL },
		{ "debug", 0, &g->debug, NULL, NULL },
		{ "systemd-cgroup", 0, &g->systemd_cgroup, NULL, NULL },
		{ "version", 'v', &g->version, NULL, NULL },
		{ "help", 'h', &g->help, NULL, NULL },
		{ NULL, 0, NULL, NULL, NULL },
	};
	int next = args_parse(rows, argc, argv, e);

	if (next < 0)
		return next;
	if (g->systemd_cgroup)
		return err_set(e, -EOPNOTSUPP, "--systemd-cgroup: there is no systemd to ask; leave "
					       "it out and the runtime makes cgroups itself");
	if (g->log_format && strcmp(g->log_format, "json") != 0 &&
	    strcmp(g->log_format, "text") != 0)
		return err_set(e, -EINVAL, "--log-format is text or json, not \"%s\"", g->log_format);
	report_to(g->log, g->log_format && !strcmp(g->log_format, "json"));
	return next;
}

static int run(struct global *g, int argc, char **argv, struct err *e)
{
	int next = parse_global(g, argc, argv, e);

	if (next < 0)
		return next;
	if (g->version) {
		printf("berth-oci version %s\nspec: %s\n", BERTH_VERSION, OCI_VERSION);
		return 0;
	}
	if (g->help || next >= argc) {
		print_help();
		return g->help ? 0 : err_set(e, -EINVAL, "no command given");
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(commands[i].name, argv[next]))
			return commands[i].run(&g->options, argc - next, argv + next, e);
	return err_set(e, -EINVAL, "unknown command \"%s\"", argv[next]);
}

int command_id(int argc, char **argv, int index, const char **out, struct err *e)
{
	if (index + 1 != argc)
		return err_set(e, -EINVAL, "\"%s\" needs exactly one container ID", argv[0]);
	*out = argv[index];
	return 0;
}

int main(int argc, char **argv)
{
	struct global g = { .options = { .root = "/run/berth/oci", .argv = argv } };
	struct err e = { 0 };

	log_name("berth-oci");
	/* From here on a process of a container cannot open our memory or executable. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (run(&g, argc, argv, &e) < 0) {
		report_error(e.text);
		return 1;
	}
	return 0;
}
