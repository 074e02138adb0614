/* docker's words for times, as `docker ps` shows them in STATUS. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/container.h"

enum { HUMAN_DURATION_MAX = 32, HUMAN_STATUS_MAX = 96 };

/* "Less than a second", "5 minutes", "About an hour" ... (docker/go-units HumanDuration) */
char *human_duration(int64_t seconds, char out[HUMAN_DURATION_MAX]);

/* "Up 3 minutes", "Exited (137) 2 hours ago", "Restarting (1) 4 seconds ago", "Created" */
char *human_status(const struct container *c, int64_t now_ns, char out[HUMAN_STATUS_MAX]);
