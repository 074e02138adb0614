/* Boot steps: a table of what PID 1 does itself, each run once, timed and told on the console.
 *
 * A deadline cannot stop the kernel, but it interrupts what a step waits for (SIGALRM) and is
 * reported; what cannot be interrupted is the hardware watchdog's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct machine;

enum step_policy {
	STEP_RESCUE,  /* failed: the machine goes to rescue mode */
	STEP_DEGRADE, /* failed: told, the machine is degraded, boot goes on */
	STEP_IGNORE,  /* failed: told, boot goes on */
};

struct step {
	const char *name;
	/* 0, with a short note in `say` if there is something to tell, or -errno with a sentence. */
	int (*run)(struct machine *m, struct err *say);
	int deadline_ms;
	enum step_policy on_failure;
};

enum step_state { STEP_OK, STEP_LATE, STEP_FAILED };

struct step_result {
	const char *name;
	enum step_state state;
	enum step_policy on_failure;
	int64_t start_ms;
	int64_t took_ms;
	char text[160]; /* the note or the error */
};

enum { STEPS_MAX = 40 };

struct step_log {
	struct step_result results[STEPS_MAX];
	size_t count;
};

/* Runs all of them, also after a failure. The name of the first one that asks for rescue is put
 * into `rescue`, if none is there yet. */
void steps_run(const struct step *steps, size_t count, struct machine *m, struct step_log *log,
	       const struct step_result **rescue);

const char *step_state_name(enum step_state s);

/* A step failed that was not to be ignored. */
bool steps_degraded(const struct step_log *log);
