/* Kernel parameters and limits of the host, as tables. Steps (pid1/steps.h). */
#pragma once

#include "base/err.h"

struct machine;

int tuning_step_sysctls(struct machine *m, struct err *say);
int tuning_step_limits(struct machine *m, struct err *say); /* inherited by every service */
