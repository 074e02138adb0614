/* What may stand next on a command line: BusyBox's shell asks for it when Tab is pressed
 * (image-build/patches/busybox/lineedit-complete-berth.patch). */
#pragma once

#include <stdio.h>

#include "cli/cli.h"

/* `line` up to the cursor, "berth logs -f ng". Prints a whole word a line for each that may stand
 * where the last one begins; of those that do not begin as it does the shell takes no notice.
 * `commands` ends with NULL. */
void complete(const char *line, const struct cli_command *const *commands, FILE *to);
