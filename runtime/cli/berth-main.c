/* `berth`: the command people type. docker's commands with docker's columns, and the machine's. */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/complete.h"

static const struct cli_command container_commands[] = {
	{ "run", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Make a container and run it", 1, CLI_PROGRAM,
	  cmd_run },
	{ "create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Make a container", 1, CLI_PROGRAM, cmd_create },
	{ "ps", "[OPTIONS]", "List containers", 0, 0, cmd_ps },
	{ "logs", "[OPTIONS] [CONTAINER|SERVICE|kernel]",
	  "Show a container's output, or the machine's logs", 0, 1, cmd_logs },
	{ "start", "CONTAINER [CONTAINER...]", "Start stopped containers", 1, CLI_ANY, cmd_start },
	{ "stop", "[OPTIONS] CONTAINER [CONTAINER...]", "Stop running containers", 1, CLI_ANY, cmd_stop },
	{ "restart", "[OPTIONS] CONTAINER [CONTAINER...]", "Restart containers", 1, CLI_ANY, cmd_restart },
	{ "kill", "[OPTIONS] CONTAINER [CONTAINER...]", "Send a signal to containers", 1, CLI_ANY,
	  cmd_kill },
	{ "pause", "CONTAINER [CONTAINER...]", "Freeze all that runs in containers", 1, CLI_ANY,
	  cmd_pause },
	{ "unpause", "CONTAINER [CONTAINER...]", "Let frozen containers go on", 1, CLI_ANY, cmd_unpause },
	{ "wait", "CONTAINER [CONTAINER...]", "Wait until containers end, and print their exit codes", 1,
	  CLI_ANY, cmd_wait },
	{ "rename", "CONTAINER NAME", "Give a container another name", 2, 2, cmd_rename },
	{ "rm", "[OPTIONS] CONTAINER [CONTAINER...]", "Remove containers", 1, CLI_ANY, cmd_rm },
	{ "exec", "[OPTIONS] CONTAINER COMMAND [ARG...]", "Run a program in a running container", 2,
	  CLI_PROGRAM, cmd_exec },
	{ "attach", "[OPTIONS] CONTAINER", "Join this terminal to a container's streams", 1, 1,
	  cmd_attach },
	{ "cp", "[OPTIONS] CONTAINER:PATH PATH|- | PATH|- CONTAINER:PATH",
	  "Copy files out of a container or into it", 2, 2, cmd_cp },
	{ "diff", "CONTAINER", "Show which files a container has changed", 1, 1, cmd_diff },
	{ "commit", "[OPTIONS] CONTAINER [NAME[:TAG]]", "Make an image of a container's files", 1, 2,
	  cmd_commit },
	{ "export", "[OPTIONS] CONTAINER", "Write a container's files as a tar", 1, 1, cmd_export },
	{ "inspect", "[OPTIONS] NAME [NAME...]", "Show all that is known of containers and images", 1,
	  CLI_ANY, cmd_inspect },
	{ "port", "CONTAINER [PORT[/PROTOCOL]]", "Show which ports of the host lead into a container", 1,
	  2, cmd_port },
	{ "top", "CONTAINER [PS OPTIONS]", "Show the processes of a container", 1, CLI_PROGRAM, cmd_top },
	{ "stats", "[OPTIONS] [CONTAINER...]", "Show what containers use", 0, CLI_ANY, cmd_stats },
	{ "events", "[OPTIONS]", "Show what happens", 0, 0, cmd_events },
	{ "volume", "COMMAND", "Manage volumes", 0, CLI_ANY, cmd_volume },
	{ "system", "COMMAND", "What takes room, and what docker's clients ask for", 0, CLI_ANY,
	  cmd_system },
};

static const struct cli_command image_commands[] = {
	{ "images", "[OPTIONS]", "List images", 0, 0, cmd_images },
	{ "pull", "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image", 1, 1, cmd_pull },
	{ "push", "[OPTIONS] NAME[:TAG]", "Upload an image", 1, 1, cmd_push },
	{ "tag", "IMAGE NAME[:TAG]", "Give an image one more name", 2, 2, cmd_tag },
	{ "rmi", "[OPTIONS] IMAGE [IMAGE...]", "Remove images", 1, CLI_ANY, cmd_rmi },
	{ "history", "[OPTIONS] IMAGE", "Show of what an image is made", 1, 1, cmd_history },
	{ "save", "[OPTIONS] IMAGE [IMAGE...]", "Write images as one archive", 1, CLI_ANY, cmd_save },
	{ "load", "[OPTIONS]", "Take images out of an archive", 0, 0, cmd_load },
	{ "import", "[OPTIONS] FILE|- [NAME[:TAG]]", "Make an image of a tar of files", 1, 2, cmd_import },
	{ "search", "[OPTIONS] TERM", "Look for images in a registry", 1, 1, cmd_search },
	{ "login", "[OPTIONS] [REGISTRY]", "Keep a user and password for a registry", 0, 1, cmd_login },
	{ "logout", "[REGISTRY]", "Forget them", 0, 1, cmd_logout },
};

/* Only as "berth image ...". */
static const struct cli_command managed_image_commands[] = {
	{ "inspect", "[OPTIONS] IMAGE [IMAGE...]", "Show all that is known of images", 1, CLI_ANY,
	  cmd_image_inspect },
	{ "prune", "[OPTIONS]", "Remove images that nobody uses", 0, 0, cmd_image_prune },
};

/* Only as "berth container ...": "berth update" is the machine's. */
static const struct cli_command managed_commands[] = {
	{ "update", "[OPTIONS] CONTAINER [CONTAINER...]", "Change the limits of containers", 1, CLI_ANY,
	  cmd_container_update },
	{ "prune", "[OPTIONS]", "Remove all stopped containers", 0, 0, cmd_container_prune },
};

/* docker's management commands are the same commands by another name. */
static const struct {
	const char *group, *word, *name;
} managed_names[] = {
	{ "container", "ls", "ps" },	   { "container", "list", "ps" },
	{ "container", "remove", "rm" },   { "image", "ls", "images" },
	{ "image", "list", "images" },	   { "image", "rm", "rmi" },
	{ "image", "remove", "rmi" },
};

static const struct cli_command machine_commands[] = {
	{ "status", "[OPTIONS]", "Show how the machine is: boot, services, memory, disks, faults", 0, 0,
	  cmd_status },
	{ "services", "[start|stop|restart NAME]", "List the machine's services, or control one", 0, 2,
	  cmd_services },
	{ "network", "[ls|create|inspect|connect|disconnect|rm|prune ...]",
	  "Show links, addresses, routes and name servers; or manage containers' networks", 0, CLI_ANY,
	  cmd_network },
	{ "config",
	  "check|diff|apply FILE | edit | explain [KEY] | schema | show [--json] | confirm | forget",
	  "Check a boot configuration, change to it, show the one in force, explain its keys", 1, 2,
	  cmd_config },
	{ "update", "COMMAND", "Replace the system by a newer version, or go back", 0, CLI_ANY,
	  cmd_helper },
	{ "install", "/dev/DISK", "Copy the running system onto a disk", 0, CLI_ANY, cmd_helper },
	{ "reset", "[OPTIONS]", "Back to the state of a machine that was just installed", 0, CLI_ANY,
	  cmd_helper },
	{ "support", "[OPTIONS]", "Pack everything that helps to find a fault, without secrets", 0, 0,
	  cmd_support },
	{ "toolbox", "[OPTIONS] [COMMAND [ARG...]]", "Look at the host out of a place where nothing stays",
	  0, CLI_PROGRAM, cmd_toolbox },
	{ "version", "", "Show the version", 0, 0, cmd_version },
	{ "reboot", "[OPTIONS]", "Stop everything in order and start the machine again", 0, 0, cmd_power },
	{ "poweroff", "", "Stop everything in order and switch the machine off", 0, 0, cmd_power },
	{ "halt", "", "Stop everything in order and halt", 0, 0, cmd_power },
};

static const struct {
	const char *title;
	const struct cli_command *commands;
	size_t count;
} groups[] = {
	{ "Containers", container_commands, ARRAY_LEN(container_commands) },
	{ "Images", image_commands, ARRAY_LEN(image_commands) },
	{ "The machine", machine_commands, ARRAY_LEN(machine_commands) },
};

static void print_commands(FILE *to, const struct cli_command *commands, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
}

static void print_help(FILE *to)
{
	fprintf(to, "Usage:  berth [-H unix:///PATH] COMMAND\n\nA container host you can hold in one "
		    "hand.\n");
	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		fprintf(to, "\n%s:\n", groups[g].title);
		print_commands(to, groups[g].commands, groups[g].count);
	}
	fprintf(to, "\nRun 'berth COMMAND --help' for more on a command.\n");
}

static const struct cli_command *find_in(const struct cli_command *commands, size_t count,
					 const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static const struct cli_command *find(const char *name)
{
	const struct cli_command *c = NULL;

	for (size_t g = 0; !c && g < ARRAY_LEN(groups); g++)
		c = find_in(groups[g].commands, groups[g].count, name);
	return c;
}

static int print_managed(FILE *to, int code)
{
	fprintf(to, "Usage:  berth container COMMAND, berth image COMMAND\n\nThe commands of 'berth "
		    "--help', by docker's longer names; and of containers:\n");
	print_commands(to, managed_commands, ARRAY_LEN(managed_commands));
	fprintf(to, "\nOf images:\n");
	print_commands(to, managed_image_commands, ARRAY_LEN(managed_image_commands));
	return code;
}

/* "container ls", "image rm"; argv[0] is the group. */
static int run_managed(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";
	const struct cli_command *c = NULL;

	if (!strcmp(name, "--help"))
		return print_managed(argc > 1 ? stdout : stderr, argc > 1 ? EXIT_OK : EXIT_USAGE);
	for (size_t i = 0; i < ARRAY_LEN(managed_names); i++)
		if (!strcmp(managed_names[i].group, argv[0]) && !strcmp(managed_names[i].word, argv[1]))
			name = managed_names[i].name;
	if (!strcmp(argv[0], "container"))
		c = find_in(managed_commands, ARRAY_LEN(managed_commands), name);
	else
		c = find_in(managed_image_commands, ARRAY_LEN(managed_image_commands), name);
	if (!c && !strcmp(argv[0], "container"))
		c = find_in(container_commands, ARRAY_LEN(container_commands), name);
	else if (!c)
		c = find_in(image_commands, ARRAY_LEN(image_commands), name);
	if (c)
		return c->run(c, argc - 1, argv + 1);
	fprintf(stderr, "berth: '%s %s' is not a berth command.\nSee 'berth --help'.\n", argv[0], argv[1]);
	return EXIT_FAILED;
}

static int print_completions(void)
{
	const struct cli_command *all[ARRAY_LEN(container_commands) + ARRAY_LEN(image_commands) +
				      ARRAY_LEN(machine_commands) + 1];
	const char *line = getenv("COMP_LINE");
	size_t n = 0;

	for (size_t g = 0; g < ARRAY_LEN(groups); g++)
		for (size_t i = 0; i < groups[g].count; i++)
			all[n++] = &groups[g].commands[i];
	all[n] = NULL;
	if (line)
		complete(line, all, stdout);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	const struct cli_command *c = argc ? find(basename(argv[0])) : NULL;

	if (c) /* a link: reboot, poweroff, halt */
		return c->run(c, argc, argv);
	argc--, argv++;
	if (argc >= 2 && (!strcmp(argv[0], "-H") || !strcmp(argv[0], "--host"))) {
		cli_set_host(argv[1]);
		argc -= 2, argv += 2;
	}
	if (argc >= 1 && !strncmp(argv[0], "--host=", 7)) { /* as docker's CLI writes it */
		cli_set_host(argv[0] + 7);
		argc--, argv++;
	}
	if (argc > 0 && !strcmp(argv[0], "help") && argc > 1)
		argv[0] = argv[1], argv[1] = (char *)"--help";
	if (argc < 1 || !strcmp(argv[0], "help") || !strcmp(argv[0], "--help") ||
	    !strcmp(argv[0], "-h")) {
		print_help(argc < 1 ? stderr : stdout);
		return argc < 1 ? EXIT_FAILED : EXIT_OK;
	}
	if (!strcmp(argv[0], "__complete"))
		return print_completions();
	if (!strcmp(argv[0], "container") || !strcmp(argv[0], "image"))
		return run_managed(argc, argv);
	c = find(!strcmp(argv[0], "--version") || !strcmp(argv[0], "-v") ? "version" : argv[0]);
	if (!c) {
		fprintf(stderr, "berth: '%s' is not a berth command.\nSee 'berth --help'.\n", argv[0]);
		return EXIT_FAILED;
	}
	return c->run(c, argc, argv);
}
