/* linux.seccomp.listenerPath: hands a filter's listener to the agent that answers for its system
 * calls. Source: runtime-spec config-linux.md, "The Container Process State". */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "oci/filter.h"
#include "oci/hooks.h"

/* Sends `listener` and the state of the process `pid` of the container `state`; one connection. */
int listener_send(const struct filter *filter, int listener, pid_t pid,
		const struct hook_state *state, struct err *e);
