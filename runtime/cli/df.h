/* system df, system prune. */
#pragma once

#include "cli/cli.h"

int run_system_df(const struct cli_command *self, int argc, char **argv);
int run_system_prune(const struct cli_command *self, int argc, char **argv);
