/* hostname, domainname and linux.sysctl: what is set in namespaces of the container's own, and
 * nowhere else. Source: runtime-spec config.md "Hostname", config-linux.md "Sysctl". */
#pragma once

#include "base/err.h"
#include "oci/namespaces.h"
#include "spec/oci.h"

/* Before anything is made: each belongs to a namespace that is new or joined. */
int sysctl_check(const struct oci_spec *spec, const struct namespaces *ns, struct err *e);

/* In the namespaces, after the check. `proc` is a procfs mount that nobody else has changed. */
int sysctl_set(const struct oci_spec *spec, int proc, struct err *e);
