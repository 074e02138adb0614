/* AppArmor's profile and SELinux's label, which the process gets at exec.
 * Source: runtime-spec config.md, "Linux Process"; apparmor's and selinux's proc attributes. */
#pragma once

#include "base/err.h"
#include "spec/oci.h"

/* Refuses what this kernel has not got. In sight of the host's /sys. */
int labels_check(const struct oci_process *p, struct err *e);

/* linux.mountLabel. */
int labels_check_mounts(const char *label, struct err *e);

/* For the calling process. `proc`: a procfs mount that no container could have changed. */
int labels_apply(const struct oci_process *p, int proc, struct err *e);
