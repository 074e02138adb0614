/* Back to the state of a machine that was just installed. All of the data partition goes by the
 * mark that has datavol make a new file system; or, with the data kept, all but the rows of a
 * table, by a file on the partition that stays until that is done. Both are gone on with after a
 * power cut. */
#pragma once

#include "base/err.h"

enum reset_kind { RESET_NONE, RESET_ALL, RESET_KEEP_DATA };

/* berth.reset=all or =keep-data, as the boot menu puts it on the kernel's command line; anything
 * else is RESET_NONE, since nobody's data may go by a typo. */
enum reset_kind reset_asked(const char *cmdline);

/* `var` is the data partition's root: writes the file that reset_go_on() obeys. 0 or -errno. */
int reset_mark(int var, struct err *e);

/* Removes what a reset that was begun does not keep. 1: it was begun, and is done; 0: none was. */
int reset_go_on(int var, struct err *e);

/* `berth reset`: the program's exit code (command_reset.c). */
int reset_command(int argc, char **argv);
