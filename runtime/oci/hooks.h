/* The programs that config.json wants run at points of the container's life. Each gets the
 * container's state on stdin. Source: runtime-spec config.md "POSIX-platform Hooks", runtime.md
 * "Lifecycle".
 *
 *   prestart, createRuntime   by create, when all is mounted, before the pivot; host's namespaces
 *   createContainer           the same moment; container's namespaces, program of the host
 *   startContainer            by the container's process before its exec; program of the image
 *   poststart                 by start; a failure is a warning
 *   poststop                  by delete; a failure is a warning */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci.h"

enum hook_kind {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
};

/* What a hook is told. */
struct hook_state {
	const char *version, *id, *status, *bundle;
	pid_t pid; /* 0: none */
	const struct string_map *annotations;
};

/* "prestart" ..., one after the other; NULL ends them. */
const char *hooks_name(size_t index);

int hooks_check(const struct oci_hooks *hooks, struct err *e);
bool hooks_have(const struct oci_hooks *hooks, enum hook_kind kind);

/* Runs them in order; the first that fails ends it with a sentence. */
int hooks_run(const struct oci_hooks *hooks, enum hook_kind kind, const struct hook_state *state,
	      struct err *e);

/* Runs all of them, whatever becomes of each; failures are warnings. */
void hooks_run_all(const struct oci_hooks *hooks, enum hook_kind kind,
		   const struct hook_state *state);

/* The state as JSON, runtime.md "State". Malloc'ed; NULL: out of memory. */
char *hook_state_text(const struct hook_state *state);
