/* /dev: the nodes that every container has, those of linux.devices, and the usual links.
 * The nodes are made by the parent, outside of the user namespace (in it mknod is refused), in a
 * tmpfs that nothing else has seen; so no device of the host's /dev is bound into a container.
 * Source: runtime-spec config-linux.md, "Devices", "Default Devices" and "/dev symbolic links". */
#pragma once

#include "base/err.h"
#include "oci/mounts.h"
#include "spec/oci.h"

/* The detached tmpfs for the plan, filled. */
int devices_make_dev(const struct mount_plan *plan, const struct oci_spec *spec, struct err *e);

/* Host ids of the container's root; 0 without a user namespace. */
void devices_root_ids(const struct oci_linux *l, uint32_t *uid, uint32_t *gid);
