/* linux.maskedPaths and linux.readonlyPaths. */
#pragma once

#include "base/err.h"
#include "spec/oci.h"

/* Each is an absolute path. */
int paths_check(const struct oci_linux *l, struct err *e);

/* Before the pivot: a detached bind of the host's /dev/null, looked at twice: it must be the
 * character device 1:3 (CVE-2025-31133). An fd or -errno. */
int paths_open_null(struct err *e);

/* After all mounts. Takes `null`. */
int paths_protect(int root, int null, const struct oci_linux *l, struct err *e);
