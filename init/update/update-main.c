/* update: installs versions, and says and decides what is booted. `berth update` executes it. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "update/command.h"

static const struct command commands[] = {
	{ "status", "[--json]", "Show the slots, refused versions and the last boots", command_status },
	{ "check", "[CHANNEL]", "Ask the channel for its newest version", command_check },
	{ "fetch", "[CHANNEL]", "Download it, to be installed later", command_fetch },
	{ "install", "[OPTIONS] [FILE|DISK|-|URL]",
	  "Check a bundle, write it into the other slot, boot it next", command_install },
	{ "confirm", "", "Keep the running version, whatever its gate says", command_confirm },
	{ "rollback", "[--reboot]", "Boot the other slot's version next", command_rollback },
	{ "forget", "[VERSION|DIGEST]", "Let versions in again that failed here", command_forget },
	{ "auto", "", "Update by itself, as configured; PID 1 runs it", command_auto },
	{ "gate", "", "Decide about a version on trial; PID 1 runs it at every boot", command_gate },
};

static const char more[] =
	"\nAn update is one signed file. It goes into the slot that is not running, is read back and\n"
	"verified, and is tried at the next boot, three times at most. When the data partition, the\n"
	"network, SSH, the services and the containers are as they were before, and stay so for 30\n"
	"seconds, it is confirmed; otherwise the machine goes back to the version before by itself,\n"
	"and refuses the one that failed until it is told to forget that. A reboot in order costs no\n"
	"try. Over SSH:  ssh root@machine berth update install --reboot - <berth.bundle\n"
	"From a USB disk with a *.bundle on it:  berth update install /dev/sda1\n"
	"\nFrom a web server (or the channel, when nothing is named) only those blocks are downloaded\n"
	"that the running version does not have; what fetch left is used first. A channel is the\n"
	"address of a signed text that names the newest version; any server of files will do.\n"
	"\nBy itself, when the configuration says so: berth.update.automatic (check, fetch, install or\n"
	"reboot), interval, windows to reboot in, rollout_wariness, and fleet_lock, a server that is\n"
	"asked before a reboot. berth update status shows what is next and what it waits for. What\n"
	"a person rolled back is refused too, until it is forgotten.\n"
	"\ninstall's options: --reboot at once; --whole downloads all of it; --digest HEX takes only the\n"
	"bundle whose manifest has that SHA-256; --force, see below.\n"
	"\n--force lets in what asks for a newer version to start from, and, at the machine's own\n"
	"console only, what is older than the oldest version without known holes.\n";

static int help(FILE *to)
{
	fprintf(to, "Usage:  berth update COMMAND\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-9s%-30s %s\n", commands[i].name, commands[i].arguments, commands[i].summary);
	fputs(more, to);
	return to == stdout ? EXIT_OK : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	log_name("update");
	if (argc < 2)
		return help(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(stdout);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(argc - 1, argv + 1);
	log_error("there is no command \"%s\" (berth update --help)", argv[1]);
	return EXIT_USAGE;
}
