/* The options of run and create, docker's (create_flags.c), and the API's body that they make. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/cli.h"

struct create_options {
	bool interactive, tty, remove, publish_all, privileged, read_only, init, no_health;
	bool detach, quiet, untrusted;
	const char *name, *platform, *entrypoint, *user, *workdir, *hostname, *domainname, *network;
	const char *restart, *memory, *memory_swap, *memory_reservation, *cpus, *cpuset, *cpu_period;
	const char *cpu_quota, *cpu_shares, *blkio_weight, *pids, *shm_size, *oom_score_adj;
	const char *stop_signal, *stop_timeout, *userns, *pid, *ipc, *uts, *cgroupns, *runtime;
	const char *volume_driver, *log_driver, *cidfile, *keys, *sig_proxy, *isolation;
	const char *health_cmd, *health_interval, *health_timeout, *health_start_period;
	const char *health_start_interval, *health_retries, *ip, *mac, *gw_priority;
	struct cli_list env, env_files, volumes, mounts, volumes_from, ports, expose, tmpfs, cap_add;
	struct cli_list cap_drop, security, labels, label_files, hosts, dns, dns_options, dns_search;
	struct cli_list groups, sysctls, log_options, storage, annotations, devices, ulimits, attach;
	struct cli_list network_aliases, links;
	struct cli_list read_bps, read_iops, write_bps, write_iops;
};

enum { CREATE_FLAGS_MOST = 128 };

/* Fills `out` for cli_options; returns how many. */
size_t create_flags(struct create_options *o, struct cli_option out[CREATE_FLAGS_MOST]);

/* The JSON text (free it), or NULL with the sentence. `attach`: streams are wanted. */
char *create_body(const struct create_options *o, bool attach, const char *image, int count,
		  char **words, struct err *e);

/* The body of POST /networks/NAME/connect, from what is said of a network. */
char *create_endpoint_body(const struct create_options *o, const char *container, struct err *e);

/* The body of POST update, from the limits and the restart policy alone. */
char *create_update_body(const struct create_options *o, struct err *e);

/* ---- create_parse.c ---- */

/* "64m", "1g", "512". 0 or -EINVAL. */
int create_size(const char *text, long long *out);

/* "1m30s", "500ms" in nanoseconds. 0 or -EINVAL. */
int create_duration(const char *text, int64_t *ns);

/* The lines of the files, but empty ones and comments. Their texts live as long as the program. */
int create_read_lines(const struct cli_list *files, struct cli_list *out, struct err *e);
