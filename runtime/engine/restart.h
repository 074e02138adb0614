/* Restart policies and their back-off, as docker's restart manager has them: 100 ms, doubling to
 * one minute, from the beginning again after a run of 10 s. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "spec/container.h"

struct restart_facts {
	int exit_code;
	bool stopped_by_hand;
	int64_t restarts;        /* since the last start by hand */
};

/* After the container ended: again? */
bool restart_wanted(const struct spec_restart *policy, const struct restart_facts *facts);

/* At boot (of the machine, not of the engine): is it to run? `declared`: by the boot
 * configuration, which asks for it at each boot; `was_running`: until the machine went down. */
bool restart_at_boot(const struct spec_restart *policy, const struct restart_facts *facts,
		     bool declared, bool was_running);

/* The wait before the next start; `last_ms` is the wait before the previous one (0: none). */
int64_t restart_delay_ms(int64_t last_ms, int64_t ran_ms);
