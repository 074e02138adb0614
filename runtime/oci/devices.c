#include "oci/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "oci/sys.h"

static const struct {
	const char *name;
	unsigned int major, minor;
} nodes[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },	  { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },  { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

static int64_t map_id(const struct oci_mapping_list *map, int64_t id)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct oci_mapping *m = &map->items[i];

		if (id >= m->containerID && id - m->containerID < m->size)
			return m->hostID + (id - m->containerID);
	}
	return map->count ? -1 : id;
}

void devices_root_ids(const struct oci_linux *l, uint32_t *uid, uint32_t *gid)
{
	*uid = (uint32_t)map_id(&l->uidMappings, 0);
	*gid = (uint32_t)map_id(&l->gidMappings, 0);
}

static int make_node(int dev, const char *name, mode_t mode, dev_t number, uint32_t uid,
		     uint32_t gid)
{
	if (mknodat(dev, name, mode, number) < 0)
		return -errno;
	/* The umask had its say at mknod. */
	if (fchownat(dev, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dev, name, mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

static int make_defaults(int dev, uint32_t uid, uint32_t gid, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		int rc = make_node(dev, nodes[i].name, S_IFCHR | 0666,
				   makedev(nodes[i].major, nodes[i].minor), uid, gid);

		if (rc < 0)
			return err_code(e, rc, "make device \"/dev/%s\"", nodes[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0 ||
		    fchownat(dev, links[i].name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "make \"/dev/%s\"", links[i].name);
	return 0;
}

static int node_type(const char *type, mode_t *out)
{
	if (!type[0] || type[1] || !strchr("bcup", type[0]))
		return -EINVAL;
	*out = type[0] == 'b' ? S_IFBLK : type[0] == 'p' ? S_IFIFO : S_IFCHR;
	return 0;
}

static int make_configured(int dev, const struct oci_device *d, const struct oci_linux *l,
			   struct err *e)
{
	int64_t uid = map_id(&l->uidMappings, d->uid.set ? d->uid.value : 0);
	int64_t gid = map_id(&l->gidMappings, d->gid.set ? d->gid.value : 0);
	autofree char *path = strdup(d->path);
	autoclose int dir = -1;
	mode_t type, mode = d->fileMode.set ? (mode_t)d->fileMode.value & 0777 : 0666;
	char *slash;
	int rc;

	if (!path || strncmp(path, "/dev/", 5) != 0 || strstr(path, "/../"))
		return err_set(e, -EINVAL, "linux.devices: \"%s\" is not below \"/dev\"", d->path);
	if (node_type(d->type, &type) < 0)
		return err_set(e, -EINVAL, "linux.devices: \"%s\": type is b, c, u or p", d->path);
	if (uid < 0 || gid < 0)
		return err_set(e, -EINVAL, "linux.devices: \"%s\": the user namespace does not map "
					   "its owner", d->path);
	slash = strrchr(path, '/');
	*slash = '\0';
	dir = path_mkdirs_in(dev, slash - path > 5 ? path + 5 : ".", 0755, e);
	if (dir < 0)
		return dir;
	/* A default device in the list is there already; the configuration's word counts. */
	unlinkat(dir, slash + 1, 0);
	rc = make_node(dir, slash + 1, type | mode,
		       makedev((unsigned int)d->major, (unsigned int)d->minor), (uint32_t)uid,
		       (uint32_t)gid);
	return rc < 0 ? err_code(e, rc, "make device \"%s\"", d->path) : 0;
}

/* A file for the terminal to be bound on. */
static int make_console(int dev, uint32_t uid, uint32_t gid, struct err *e)
{
	autoclose int fd = openat(dev, "console", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0620);

	if (fd < 0 || fchown(fd, uid, gid) < 0)
		return err_sys(e, "make \"/dev/console\"");
	return 0;
}

int devices_make_dev(const struct mount_plan *plan, const struct oci_spec *spec, struct err *e)
{
	char uid_option[32], gid_option[32];
	const char *const owner[] = { uid_option, gid_option, NULL };
	/* Written to before it is read-only, if that is wished at all. */
	struct mount_plan writable = *plan;
	autoclose int dev = -1;
	uint32_t uid, gid;
	int rc;

	devices_root_ids(spec->linux_, &uid, &gid);
	snprintf(uid_option, sizeof(uid_option), "uid=%u", uid);
	snprintf(gid_option, sizeof(gid_option), "gid=%u", gid);
	writable.here.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	dev = mounts_make(&writable, owner, e);
	if (dev < 0)
		return dev;
	rc = make_defaults(dev, uid, gid, e);
	if (!rc && spec->process && spec->process->terminal)
		rc = make_console(dev, uid, gid, e);
	for (size_t i = 0; !rc && i < spec->linux_->devices.count; i++)
		rc = make_configured(dev, &spec->linux_->devices.items[i], spec->linux_, e);
	return rc < 0 ? rc : take_fd(&dev);
}
