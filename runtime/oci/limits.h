/* rlimits, scheduling, I/O priority and the OOM score, which the parent sets on the child: to raise
 * a limit takes rights on the host, which the child in its user namespace does not have.
 * Source: runtime-spec config.md, "Process"; sched_setattr(2), ioprio_set(2). */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "spec/oci.h"

int limits_check(const struct oci_process *p, struct err *e);
int limits_apply(const struct oci_process *p, pid_t pid, struct err *e);
