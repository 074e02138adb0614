/* One service for each active console: the program that serves a person there. */
#pragma once

#include <stdbool.h>

#include "pid1/service.h"

struct machine;

/* The service for console number `i` of pid1/say.h, NULL beyond the last. It lives as long as the
 * machine. In rescue mode `m` says why, and the program offers the shell without being asked. */
const struct service_def *consoles_service(const struct machine *m, int i);
