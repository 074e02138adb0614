/* bootcfg: finds the boot configuration, checks it, applies it (see README.md). */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bootcfg/boot.h"
#include "bootcfg/commands.h"
#include "bootcfg/stage.h"

static int command_stage(int count, char **names)
{
	return count == 1 ? stage_run(names[0]) : 2;
}

static int command_online(int count, char **unused)
{
	(void)unused;
	log_name("config");
	return count ? 2 : boot_configure(true);
}

static const struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(int count, char **arguments);
	int least;
} commands[] = {
	{ "online", "", "the second stage: ask the source that is on the network", command_online, 0 },
	{ "check", "FILE...", "say what is wrong in these configurations", command_check, 1 },
	{ "show", "FILE...", "print them as the machine would understand them", command_show, 1 },
	{ "stage", "NAME", "do what the configuration leaves for later in a boot", command_stage, 1 },
	{ "explain", "[KEY...]", "print what a key means, such as containers.web.ports",
	  command_explain, 0 },
	{ "reference", "", "print what all of them mean, as a page of Markdown", command_reference, 0 },
	{ "schema", "", "print a JSON Schema of them, for editors", command_schema, 0 },
	{ "diff", "FILE", "say what it would change, and what of that at once", command_diff, 1 },
	{ "apply", "FILE [TIME]", "change it; back again after the time, unless it is kept",
	  command_apply, 1 },
	{ "edit", "[TIME]", "edit what is installed, and apply it", command_edit, 0 },
	{ "keep", "", "the configuration on trial is good (PID 1's gate says so, or a person)",
	  command_keep, 0 },
	{ "refuse", "REASON [VERSION]", "it is not, beside that version: the last good one from the next "
	  "boot on", command_refuse, 1 },
	{ "give-back", "", "this boot of it does not count", command_give_back, 0 },
	{ "forget", "[VERSION]", "let in again what was refused (beside that version)",
	  command_forget, 0 },
};

static int usage(void)
{
	fprintf(stderr, "usage: bootcfg             find the configuration and apply it\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(stderr, "       bootcfg %-10s%-12s  %s\n", commands[i].name,
			commands[i].arguments, commands[i].help);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		log_name("config");
		return boot_configure(false);
	}
	log_name("bootcfg");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].least)
			return commands[i].run(argc - 2, argv + 2);
	return usage();
}
