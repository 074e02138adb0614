/* berth-oci: the OCI runtime's command line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "oci/args.h"
#include "oci/commands.h"
#include "oci/filter_compile.h"
#include "oci/inherit.h"
#include "oci/report.h"
#include "spec/oci.h"

#ifndef BERTH_VERSION
#define BERTH_VERSION "development"
#endif

static const struct {
	const char *name, *usage, *help;
	int (*run)(const struct options *o, int argc, char **argv, struct err *e);
	int failure; /* the exit code of an error; 255 tells exec's own from its program's */
} commands[] = {
	{ "create", "[OPTION...] ID", "make a container that waits for \"start\"", cmd_create, 1 },
	{ "start", "ID", "run a created container's program", cmd_start, 1 },
	{ "run", "[OPTION...] ID", "create and start, wait for the end and delete", cmd_run, 1 },
	{ "exec", "[OPTION...] ID COMMAND... | --process FILE ID", "run one more program in it",
	  cmd_exec, 255 },
	{ "state", "ID", "print a container's state as JSON", cmd_state, 1 },
	{ "list", "[OPTION...]", "print all containers", cmd_list, 1 },
	{ "ps", "[-f json] ID [OPTION OF PS...]", "print the host's processes of a container", cmd_ps,
	  1 },
	{ "kill", "[-a] ID [SIGNAL]", "send a signal (TERM) to its first process, or to all",
	  cmd_kill, 1 },
	{ "delete", "[-f] ID", "remove what is left of a stopped container, or kill and remove it",
	  cmd_delete, 1 },
	{ "pause", "ID", "stop all of its processes for a while", cmd_pause, 1 },
	{ "resume", "ID", "let them run again", cmd_resume, 1 },
	{ "update", "[OPTION...] ID", "change its limits", cmd_update, 1 },
	{ "events", "[OPTION...] ID", "print what it uses, and when memory runs out", cmd_events, 1 },
	{ "spec", "[OPTION...]", "write a config.json to begin with", cmd_spec, 1 },
	{ "features", "", "print what this runtime understands, as JSON", cmd_features, 1 },
	{ "seccomp-cache", "FILE", "compile the default filter into FILE (done when an image is built)",
	  cmd_seccomp_cache, 1 },
};

#define DEFAULT_ROOT "/run/berth/oci"

struct global {
	struct options options;
	const char *log, *log_format, *rootless;
	int failure; /* exit code of an error */
	bool debug, systemd_cgroup, version, help;
};

#define GLOBAL_ARGS(g)                                                                           \
	ARG_TEXT("root", 0, &(g)->options.root, "where state is kept (" DEFAULT_ROOT ", for a "  \
		 "user $XDG_RUNTIME_DIR/berth-oci)"),                                             \
	ARG_TEXT("log", 0, &(g)->log, "append errors and warnings to this file"),                \
	ARG_TEXT("log-format", 0, &(g)->log_format, "text or json"),                             \
	ARG_FLAG("debug", 0, &(g)->debug, "taken for callers of runc; there is nothing to add"), \
	ARG_TEXT("rootless", 0, &(g)->rootless, "true, false (refuse to) or auto"),              \
	ARG_FLAG("systemd-cgroup", 0, &(g)->systemd_cgroup, "refused: cgroups are made directly"), \
	ARG_FLAG("version", 'v', &(g)->version, "print the version"),                            \
	ARG_FLAG("help", 'h', &(g)->help, "print this; COMMAND --help: its options"), ARG_END

static void print_help(struct global *g)
{
	const struct arg rows[] = { GLOBAL_ARGS(g) };

	printf("Usage: berth-oci [OPTION...] COMMAND ...\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %s %s\n      %s\n", commands[i].name, commands[i].usage,
		       commands[i].help);
	printf("\nOptions:\n");
	args_print(rows);
}

/* runc's shape: callers read the first line, and "spec:". */
static void print_version(void)
{
	uint32_t v = filter_compiler();

	printf("berth-oci version %s\nspec: %s\nlibseccomp: %u.%u.%u\n", BERTH_VERSION, OCI_VERSION,
	       v >> 16, v >> 8 & 0xff, v & 0xff);
}

static int check_rootless(const char *word, struct err *e)
{
	if (!word || !strcmp(word, "auto") || !strcmp(word, "true"))
		return 0;
	if (strcmp(word, "false") != 0)
		return err_set(e, -EINVAL, "--rootless is true, false or auto, not \"%s\"", word);
	return geteuid() ? err_set(e, -EPERM, "--rootless=false: this user is not root") : 0;
}

/* The container's processes and mounts are not where the caller is. */
static int make_root_absolute(struct global *g, struct err *e)
{
	char cwd[4096], *path;

	if (g->options.root[0] == '/')
		return 0;
	if (!g->options.root[0])
		return err_set(e, -EINVAL, "--root: is empty");
	if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(e, "--root \"%s\"", g->options.root);
	if (asprintf(&path, "%s/%s", cwd, g->options.root) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	g->options.root = path;
	return 0;
}

static int parse_global(struct global *g, int argc, char **argv, struct err *e)
{
	const struct arg rows[] = { GLOBAL_ARGS(g) };
	int next = args_parse(rows, argc, argv, e), rc;

	if (next < 0)
		return next;
	if (g->systemd_cgroup)
		return err_set(e, -EOPNOTSUPP, "--systemd-cgroup: there is no systemd to ask; leave "
					       "it out and the runtime makes cgroups itself");
	if (g->log_format && strcmp(g->log_format, "json") != 0 &&
	    strcmp(g->log_format, "text") != 0)
		return err_set(e, -EINVAL, "--log-format is text or json, not \"%s\"", g->log_format);
	report_to(g->log, g->log_format && !strcmp(g->log_format, "json"));
	rc = check_rootless(g->rootless, e);
	if (!rc)
		rc = make_root_absolute(g, e);
	return rc < 0 ? rc : next;
}

static int run_command(struct global *g, int argc, char **argv, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, argv[0]) != 0)
			continue;
		g->failure = commands[i].failure;
		if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
			printf("Usage: berth-oci %s %s\n  %s\n\n", commands[i].name,
			       commands[i].usage, commands[i].help);
		return commands[i].run(&g->options, argc, argv, e);
	}
	return err_set(e, -EINVAL, "unknown command \"%s\"", argv[0]);
}

static int run(struct global *g, int argc, char **argv, struct err *e)
{
	int next = parse_global(g, argc, argv, e);

	if (next < 0)
		return next;
	if (g->version) {
		print_version();
		return 0;
	}
	if (g->help || next >= argc) {
		print_help(g);
		return g->help ? 0 : err_set(e, -EINVAL, "no command given");
	}
	return run_command(g, argc - next, argv + next, e);
}

int command_id(int argc, char **argv, int index, const char **out, struct err *e)
{
	if (index + 1 != argc)
		return err_set(e, -EINVAL, "\"%s\" needs exactly one container ID", argv[0]);
	*out = argv[index];
	return 0;
}

int command_only_id(int argc, char **argv, const char **out, struct err *e)
{
	static const struct arg rows[] = { ARG_END };
	int next = args_parse(rows, argc, argv, e);

	return next < 0 ? next : command_id(argc, argv, next, out, e);
}

/* An unprivileged user's containers are kept where he may, and go when he logs out. */
static const char *default_root(void)
{
	const char *own = geteuid() ? getenv("XDG_RUNTIME_DIR") : NULL;
	static char path[4096];

	if (!own || own[0] != '/' ||
	    (size_t)snprintf(path, sizeof(path), "%s/berth-oci", own) >= sizeof(path))
		return DEFAULT_ROOT;
	return path;
}

int main(int argc, char **argv)
{
	struct global g = { .options = { .root = default_root(), .argv = argv }, .failure = 1 };
	struct err e = { 0 };
	int rc;

	log_name("berth-oci");
	/* From here on a process of a container cannot open our memory or executable. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	rc = inherit_fill_stdio(&e);
	if (!rc)
		rc = run(&g, argc, argv, &e);
	if (rc >= 0 || rc == ARGS_HELP)
		return rc < 0 ? 0 : rc;
	report_error(e.text);
	return g.failure;
}
