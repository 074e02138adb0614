/* /dev: the nodes that every container has, those of linux.devices, and the usual links.
 * The nodes are made by the parent, outside of the user namespace (in it mknod is refused), in a
 * tmpfs that nothing else has seen; so no device of the host's /dev is bound into a container.
 * What is not in such a tmpfs (no mount on /dev, or a path elsewhere) is made when all is mounted.
 * Without the right to make nodes at all (rootless) the host's are bound on empty files.
 * Source: runtime-spec config-linux.md, "Devices", "Default Devices" and "/dev symbolic links". */
#pragma once

#include "base/err.h"
#include "oci/mounts.h"
#include "spec/oci.h"

struct devices {
	bool inside; /* made by the child, in the user namespace: ids are the container's */
	bool bind;   /* out: nodes cannot be made here, devices_bind() is needed */
};

int devices_check(const struct oci_linux *l, struct err *e);

/* The detached tmpfs for the plan, filled. */
int devices_make_dev(const struct mount_plan *plan, const struct oci_spec *spec, struct devices *d,
		     struct err *e);

/* Whether devices_make_rest() has something to do. */
bool devices_have_rest(const struct oci_spec *spec, const struct mounts *m);

/* When all is mounted below `root`: what devices_make_dev() has not made. */
int devices_make_rest(int root, const struct oci_spec *spec, const struct mounts *m,
		      struct devices *d, struct err *e);

/* In the container's mount namespace, with the host's paths in sight. */
int devices_bind(int root, const struct oci_spec *spec, const struct mounts *m, struct err *e);

/* Host ids of the container's root, or of who stands for it (namespaces_root). */
void devices_root_ids(const struct oci_linux *l, uint32_t *uid, uint32_t *gid);
