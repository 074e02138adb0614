/* The verbs of `berth update`: a table in update-main.c, which prints the help too. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "update/bootstate.h"
#include "update/channel.h"
#include "update/facts.h"
#include "update/slots.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the verb; the exit code */
};

int command_check(int argc, char **argv);
int command_fetch(int argc, char **argv);
int command_install(int argc, char **argv);
int command_status(int argc, char **argv);
int command_confirm(int argc, char **argv);
int command_rollback(int argc, char **argv);
int command_forget(int argc, char **argv);
int command_gate(int argc, char **argv);
int command_auto(int argc, char **argv);

/* What most verbs begin with. `store` is -1 where nothing can be kept. */
struct machine {
	struct slots slots;
	struct bootstate state;
	int store;
};

/* 0 or -errno; machine_close in any case. */
int machine_open(struct machine *m, struct err *e);
void machine_close(struct machine *m);

#define automachine __attribute__((cleanup(machine_close)))

/* Says what went wrong and returns EXIT_FAILED. */
int command_failed(const struct err *e);

/* A "--name" among the arguments: taken out, and true. */
bool command_flag(int *argc, char **argv, const char *name);

/* A "--name VALUE" among the arguments: taken out; NULL: not there. */
const char *command_option(int *argc, char **argv, const char *name);

/* Nothing but the verb and `min` to `max` words, none of them an option; else it says so. */
bool command_words(int argc, char **argv, int min, int max);

/* What the channel has: the one at `url`, or the configured one (NULL). Fills the settings too. */
int command_channel(const char *url, struct settings *settings, int store, struct channel *out,
		    struct err *e);

/* The running slot holds exactly what the channel names. */
bool command_is_running(const struct machine *m, const char *version, const struct channel *c);

/* The bundle that `fetch` left, in the store. */
#define FETCHED_NAME "fetched.bundle"

/* A person rolled the running slot back: the gate must not confirm it any more. In the boot state
 * it looks like its last try. */
#define ROLLED_BACK_PATH "/run/berth/rolled-back"

/* Through PID 1, in order. */
int command_reboot(struct err *e);
