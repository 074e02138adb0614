/* Mounts whose files have other owners in the container than on the disk. Source: config.md,
 * "idmap" and "ridmap"; mount_setattr(2), "ID-mapped mounts". */
#include <errno.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "oci/mounts.h"
#include "oci/sys.h"
#include "oci/userns.h"

int mounts_idmap_tree(int fd, bool recursive, int user_ns)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_ns };

	return sys_mount_setattr(fd, recursive ? AT_RECURSIVE : 0, &attr) < 0 ? -errno : 0;
}

static int map(const struct mount_plan *p, int user_ns, struct err *e)
{
	bool tree = p->idmap == IDMAP_TREE || (p->idmap == IDMAP_WISH && p->recursive);
	int rc = mounts_idmap_tree(p->fd, tree, user_ns);

	/* Some file systems map no owners (EINVAL; overlayfs, and so the host's /etc): what the host
	 * owns there belongs to nobody in the container, and is readable by its mode. */
	if (!rc || (p->idmap == IDMAP_WISH && rc == -EINVAL))
		return 0;
	return err_code(e, rc, "mount \"%s\" on \"%s\": map its owners into the container", p->source,
		       p->where);
}

int mounts_idmap(const struct mounts *m, int user_ns, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < m->count; i++) {
		const struct mount_plan *p = &m->plans[i];

		if (p->idmap != IDMAP_NONE && !p->idmap_own && p->fd >= 0)
			rc = map(p, user_ns, e);
	}
	return rc;
}

int mounts_idmap_own(const struct mounts *m, struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct mount_plan *p = &m->plans[i];
		autoclose int user_ns = -1;
		int rc;

		if (!p->idmap_own)
			continue;
		user_ns = userns_make(&p->from->uidMappings, &p->from->gidMappings, e);
		if (user_ns < 0)
			err_prefix(e, "mount on \"%s\"", p->where);
		rc = user_ns < 0 ? user_ns : map(p, user_ns, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}
