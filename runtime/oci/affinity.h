/* process.execCPUAffinity: the processors of a process that "exec" adds.
 * Source: runtime-spec config.md, "Linux Process". */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "spec/oci.h"

enum { AFFINITY_CPUS_MAX = 8192 };

struct affinity {
	unsigned long bits[AFFINITY_CPUS_MAX / (8 * sizeof(unsigned long))];
};

/* "0-3,7". `key`: what the error names. */
int affinity_parse(const char *text, const char *key, struct affinity *out, struct err *e);

int affinity_check(const struct oci_affinity *a, struct err *e);

/* Of the runtime, before the process is made in the container's cgroup, */
int affinity_apply_initial(const struct oci_affinity *a, struct err *e);

/* and of the process, before it execs. */
int affinity_apply_final(const struct oci_affinity *a, pid_t pid, struct err *e);
