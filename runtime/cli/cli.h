/* What the commands of `berth` share: the command table's row, options, exit codes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 125, /* docker's: the command line itself was wrong */
};

/* What an option was given, time after time; static room: nobody types more, and a file of
 * variables is seldom longer. */
enum { CLI_LIST_MOST = 256 };
struct cli_list {
	const char *items[CLI_LIST_MOST];
	size_t count;
};

/* With neither flag, text nor list it is an option of docker's that is not done here, and `help`
 * says why. */
struct cli_option {
	char letter;          /* 0: none */
	const char *name;     /* long name, without the dashes */
	const char *value;    /* what the value is called in the help; NULL: a flag */
	const char *help;
	bool *flag;           /* set to true ... */
	const char **text;    /* ... or to the value, which points into argv */
	struct cli_list *list; /* ... or the value is added, when it may be given again */
};

/* CLI_PROGRAM: any number as well, and the first ends the options: what follows is a program's. */
enum { CLI_ANY = -1, CLI_PROGRAM = -2 };

struct cli_command {
	const char *name;
	const char *arguments; /* for the usage line: "[OPTIONS] CONTAINER [CONTAINER...]" */
	const char *summary;
	int min_args, max_args; /* or CLI_ANY, CLI_PROGRAM */
	int (*run)(const struct cli_command *self, int argc, char **argv);
};

/* Parses argv[1..] (argv[0] is the command's name) and moves the arguments together to
 * args[0..]; answers --help itself. Returns the number of arguments, or -1 after it has
 * printed what was wrong (or the help); *exit_code says with what to end. */
int cli_options(const struct cli_command *c, const struct cli_option *options, size_t count,
		int argc, char **argv, char **args, int *exit_code);

/* --help then prints the long options alone, a line each: for completion. */
extern bool cli_names_only;

/* A count given as an option's value. `name` is for the sentence. 0 or -errno. */
int cli_number(const char *name, const char *text, long max, long *out, struct err *e);

/* Prints "berth: SENTENCE" and returns EXIT_FAILED. */
int cli_fail(const struct err *e);

/* Asks the person whether to remove all `what`. */
bool cli_sure(const char *what);

/* "unix:///run/berth/engine.sock" or what -H or DOCKER_HOST say. */
const char *cli_host(void);
void cli_set_host(const char *host);

/* The commands, each in its file. */
int cmd_ps(const struct cli_command *c, int argc, char **argv);
int cmd_images(const struct cli_command *c, int argc, char **argv);
int cmd_logs(const struct cli_command *c, int argc, char **argv);
int cmd_start(const struct cli_command *c, int argc, char **argv);
int cmd_stop(const struct cli_command *c, int argc, char **argv);
int cmd_restart(const struct cli_command *c, int argc, char **argv);
int cmd_run(const struct cli_command *c, int argc, char **argv);
int cmd_create(const struct cli_command *c, int argc, char **argv);
int cmd_exec(const struct cli_command *c, int argc, char **argv);
int cmd_attach(const struct cli_command *c, int argc, char **argv);
int cmd_kill(const struct cli_command *c, int argc, char **argv);
int cmd_pause(const struct cli_command *c, int argc, char **argv);
int cmd_unpause(const struct cli_command *c, int argc, char **argv);
int cmd_rm(const struct cli_command *c, int argc, char **argv);
int cmd_rename(const struct cli_command *c, int argc, char **argv);
int cmd_wait(const struct cli_command *c, int argc, char **argv);
int cmd_port(const struct cli_command *c, int argc, char **argv);
int cmd_top(const struct cli_command *c, int argc, char **argv);
int cmd_stats(const struct cli_command *c, int argc, char **argv);
int cmd_events(const struct cli_command *c, int argc, char **argv);
int cmd_container_update(const struct cli_command *c, int argc, char **argv);
int cmd_container_prune(const struct cli_command *c, int argc, char **argv);
int cmd_pull(const struct cli_command *c, int argc, char **argv);
int cmd_push(const struct cli_command *c, int argc, char **argv);
int cmd_tag(const struct cli_command *c, int argc, char **argv);
int cmd_rmi(const struct cli_command *c, int argc, char **argv);
int cmd_history(const struct cli_command *c, int argc, char **argv);
int cmd_search(const struct cli_command *c, int argc, char **argv);
int cmd_image_inspect(const struct cli_command *c, int argc, char **argv);
int cmd_image_prune(const struct cli_command *c, int argc, char **argv);
int cmd_login(const struct cli_command *c, int argc, char **argv);
int cmd_logout(const struct cli_command *c, int argc, char **argv);
int cmd_cp(const struct cli_command *c, int argc, char **argv);
int cmd_diff(const struct cli_command *c, int argc, char **argv);
int cmd_export(const struct cli_command *c, int argc, char **argv);
int cmd_commit(const struct cli_command *c, int argc, char **argv);
int cmd_save(const struct cli_command *c, int argc, char **argv);
int cmd_load(const struct cli_command *c, int argc, char **argv);
int cmd_import(const struct cli_command *c, int argc, char **argv);
int cmd_inspect(const struct cli_command *c, int argc, char **argv);
int cmd_volume(const struct cli_command *c, int argc, char **argv);
int cmd_system(const struct cli_command *c, int argc, char **argv);
int cmd_toolbox(const struct cli_command *c, int argc, char **argv);
int cmd_network(const struct cli_command *c, int argc, char **argv);
int cmd_support(const struct cli_command *c, int argc, char **argv);
int cmd_status(const struct cli_command *c, int argc, char **argv);
int cmd_services(const struct cli_command *c, int argc, char **argv);
int cmd_config(const struct cli_command *c, int argc, char **argv);
int cmd_helper(const struct cli_command *c, int argc, char **argv);
int cmd_power(const struct cli_command *c, int argc, char **argv);
int cmd_version(const struct cli_command *c, int argc, char **argv);
