/* The runtime's own executable must not be writable from a container (CVE-2019-5736). */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "spec/oci.h"

/* Returns if this process runs from a read-only mount, as Berth's root is, or if the container's
 * root is nobody on the host and so could not write the file. Otherwise it runs itself again, from
 * a read-only copy of the mount that is in no mount namespace; that is done once. */
int protect_self(const struct oci_linux *l, char **argv, struct err *e);
