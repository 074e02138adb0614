/* What `network`, `volume`, `container` and `system` have in common. */
#pragma once

#include <stdbool.h>

#include "cli/cli.h"

/* `berth GROUP COMMAND ...`: runs the one that argv[1] names, or lists them all. */
int things_command(const struct cli_command *group, const struct cli_command *commands,
		   size_t count, int argc, char **argv);

/* inspect [--format TEMPLATE] NAME...: what GET at `path`NAME`tail` answers, as one list. Exit
 * code. */
int things_inspect(const struct cli_command *self, int argc, char **argv, const char *path,
		   const char *tail);

/* What POST at `path` removed: the names under `key` below `title`, and how much room that made if
 * it tells. `filters` as docker's. Exit code. */
struct things_prune {
	const char *path, *key, *title;
	bool tells_space;
};
int things_prune(const struct things_prune *what, const struct cli_list *filters);
