/* The hooks that come after "create", from the config.json that the container keeps. */
#pragma once

#include "oci/hooks.h"
#include "oci/state.h"

/* Runs all of the kind; `dir` is the container's state directory. A failure is a warning, and so is
 * a configuration that cannot be read. */
void late_hooks_run(int dir, const struct state *s, enum hook_kind kind, const char *status);
