/* The cgroup v2 tree of the host:
 *
 *   /sys/fs/cgroup/system/init         PID 1
 *                        /NAME         each service
 *                        /shims        containers' shims: a restart of the engine leaves them alone
 *                 /containers/ID       containers
 *
 * system/ has memory.min (the kernel never takes that memory for a container) and a higher CPU and
 * I/O weight; containers/ ends below the whole of memory and of pids, so that containers together
 * run into their own limit, with a clear message, and never into the host's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct machine;

int cgroup_step(struct machine *m, struct err *say);

/* Makes system/NAME; returns its fd (caller owns it) or -errno. */
int cgroup_open_service(const char *name, int cpu_weight);

/* Kills what is in system/NAME and removes it, waiting 0.1 s at most. It must go: Linux 6.12 kills
 * every process that is cloned into a cgroup (CLONE_INTO_CGROUP) whose cgroup.kill was ever used,
 * because it compares that cgroup's kill count with the one of the parent's cgroup. */
void cgroup_clear_service(const char *name);

/* The same for all of containers/. */
int cgroup_kill_containers(void);

/* Whether a process lives in containers/. */
bool cgroup_has_containers(void);

/* What is kept for the host, of `total` bytes of memory. Pure. */
uint64_t cgroup_reserve_bytes(uint64_t total);
