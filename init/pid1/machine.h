/* The one machine that PID 1 runs: what its parts share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "pid1/cmdline.h"
#include "pid1/steps.h"

struct supervisor;

enum machine_state {
	MACHINE_BOOTING,
	MACHINE_RUNNING, /* every service has settled once */
	MACHINE_RESCUE,
	MACHINE_STOPPING,
};

struct machine {
	enum machine_state state;
	struct loop *loop;
	struct boot_options options;
	struct step_log steps;
	const struct step_result *rescue_step; /* the step that made it a rescue, or NULL */
	bool rescue_asked;                     /* on the data partition, for this boot */
	struct supervisor *services;
	bool var_in_memory; /* /var is a tmpfs: nothing that is written there stays */
	int64_t begun_ms;   /* when PID 1 began, boot clock */
};

/* Why the machine is in rescue mode, as one sentence. */
const char *machine_rescue_reason(const struct machine *m);
