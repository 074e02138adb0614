/* Follows the logs, for ever: each line becomes a record in the pipe, whose reader holds this up as
 * long as it likes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct tail_options {
	bool kernel, services, containers;
	bool from_end;           /* what was there before is not told */
	int64_t booted_ns;       /* containers' logs that have not changed since are as from_end */
	const char *service_dir; /* "/run/berth/log" */
	const char *container_dir;
	int pipe_fd;
};

/* Returns only with -errno: the pipe's reader has ended, or the logs cannot be watched. */
int tail_run(const struct tail_options *o, struct err *e);
