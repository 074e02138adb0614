/* The options of run and create, docker's, and the API's body that they make. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/cli.h"

struct create_options {
	bool interactive, tty, remove, publish_all, privileged, read_only, init;
	const char *name, *platform, *entrypoint, *user, *workdir, *hostname, *network, *restart;
	const char *memory, *memory_swap, *cpus, *cpuset, *pids, *shm_size, *stop_signal, *stop_timeout;
	const char *userns, *log_driver;
	const char *health_cmd, *health_interval, *health_timeout, *health_start_period;
	const char *health_start_interval, *health_retries;
	bool no_health;
	struct cli_list env, volumes, ports, expose, tmpfs, cap_add, cap_drop, security, labels, hosts;
	struct cli_list dns, groups, sysctls, log_options;
};

/* The JSON text (free it), or NULL with the sentence. `attach`: streams are wanted. */
char *create_body(const struct create_options *o, bool attach, const char *image, int count,
		  char **words, struct err *e);

/* "64m", "1g", "512". 0 or -EINVAL. */
int create_size(const char *text, long long *out);

/* "1m30s", "500ms" in nanoseconds. 0 or -EINVAL. */
int create_duration(const char *text, int64_t *ns);
