/* Brings up "lo", so that what talks to 127.0.0.1 works before any network is configured. */
#pragma once

#include "base/err.h"

struct machine;

int loopback_step(struct machine *m, struct err *say);
