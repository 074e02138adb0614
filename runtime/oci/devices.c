#include "oci/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "oci/namespaces.h"
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

void devices_root_ids(const struct oci_linux *l, uint32_t *uid, uint32_t *gid)
{
	uint32_t own_uid, own_gid;

	namespaces_root(l, &own_uid, &own_gid);
	*uid = (uint32_t)namespaces_host_id(&l->uidMappings, own_uid);
	*gid = (uint32_t)namespaces_host_id(&l->gidMappings, own_gid);
}

/* ---- the configuration's ---- */

static int node_type(const char *type, mode_t *out)
{
	if (!type[0] || type[1] || !strchr("bcup", type[0]))
		return -EINVAL;
	*out = type[0] == 'b' ? S_IFBLK : type[0] == 'p' ? S_IFIFO : S_IFCHR;
	return 0;
}

static bool below_dev(const char *path)
{
	return !strncmp(path, "/dev/", 5);
}

static int check(const struct oci_device *d, const struct oci_linux *l, struct err *e)
{
	size_t len = strlen(d->path);
	mode_t type;

	if (d->path[0] != '/' || d->path[len - 1] == '/' || strstr(d->path, "/../") ||
	    strstr(d->path, "/./") || (len > 2 && !strcmp(d->path + len - 3, "/..")))
		return err_set(e, -EINVAL, "linux.devices: \"%s\" is not a full path", d->path);
	if (node_type(d->type, &type) < 0)
		return err_set(e, -EINVAL, "linux.devices: \"%s\": type is b, c, u or p", d->path);
	if (type != S_IFIFO && (d->major < 0 || d->major > 0xfff || d->minor < 0 ||
				d->minor > 0xfffff))
		return err_set(e, -EINVAL, "linux.devices: \"%s\": %lld:%lld is not a device number",
			       d->path, (long long)d->major, (long long)d->minor);
	if (d->fileMode.set && (d->fileMode.value < 0 || d->fileMode.value > UINT32_MAX))
		return err_set(e, -EINVAL, "linux.devices: \"%s\": fileMode is out of range", d->path);
	if (namespaces_host_id(&l->uidMappings, d->uid.value) < 0 ||
	    namespaces_host_id(&l->gidMappings, d->gid.value) < 0)
		return err_set(e, -EINVAL,
			       "linux.devices: \"%s\": the user namespace does not map its owner",
			       d->path);
	return 0;
}

int devices_check(const struct oci_linux *l, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < l->devices.count; i++)
		rc = check(&l->devices.items[i], l, e);
	return rc;
}

/* ---- making ---- */

struct maker {
	const struct oci_spec *spec;
	bool fresh; /* the directory is ours alone */
	struct devices *d;
};

struct node {
	mode_t mode;
	dev_t number;
	uint32_t uid, gid;
};

/* Something is there: in an image's own /dev it must be the very device (config-linux.md). */
static int accept_old(int dir, const char *name, const struct node *n)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != (n->mode & S_IFMT))
		return -EEXIST;
	return S_ISFIFO(st.st_mode) || st.st_rdev == n->number ? 0 : -EEXIST;
}

/* Where mknod is refused, a file for the host's node to be bound on. */
static int make_stand_in(const struct maker *m, int dir, const char *name)
{
	int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (fd < 0 && errno != EEXIST)
		return -errno;
	if (fd >= 0)
		close(fd);
	m->d->bind = true;
	return 0;
}

/* In an image's own directory another container that has it too may put a link in the name's place
 * meanwhile, so there it goes by an fd of the very node. */
static int give_node(const struct maker *m, int dir, const char *name, const struct node *n)
{
	autoclose int fd = m->fresh ? -1 : openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int rc;

	if (!m->fresh && (fd < 0 || fstat(fd, &st) < 0))
		return -errno;
	if (!m->fresh && (st.st_mode & S_IFMT) != (n->mode & S_IFMT))
		return -EEXIST;
	rc = m->fresh ? fchownat(dir, name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) :
			fchownat(fd, "", n->uid, n->gid, AT_EMPTY_PATH);
	/* Without rights on the host everything is its root's. */
	return rc < 0 && errno != EPERM && errno != EINVAL ? -errno : 0;
}

/* With a umask of 0. */
static int make_node(const struct maker *m, int dir, const char *name, const struct node *n)
{
	int rc = mknodat(dir, name, n->mode, n->number) < 0 ? -errno : 0;

	/* A default device in the list is there already; the configuration's word counts. */
	if (rc == -EEXIST && m->fresh && !unlinkat(dir, name, 0))
		rc = mknodat(dir, name, n->mode, n->number) < 0 ? -errno : 0;
	if (rc == -EPERM)
		return make_stand_in(m, dir, name);
	if (rc == -EEXIST)
		return accept_old(dir, name, n);
	return rc < 0 ? rc : give_node(m, dir, name, n);
}

static void root_ids(const struct maker *m, uint32_t *uid, uint32_t *gid)
{
	if (m->d->inside)
		namespaces_root(m->spec->linux_, uid, gid);
	else
		devices_root_ids(m->spec->linux_, uid, gid);
}

static uint32_t owner(const struct maker *m, const struct oci_mapping_list *map, int64_t id)
{
	return (uint32_t)(m->d->inside ? id : namespaces_host_id(map, id));
}

static int make_defaults(const struct maker *m, int dev, struct err *e)
{
	uint32_t uid, gid;

	root_ids(m, &uid, &gid);
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		const struct node n = { S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor), uid,
					gid };
		int rc = make_node(m, dev, nodes[i].name, &n);

		if (rc < 0)
			return err_code(e, rc, "make device \"/dev/%s\"", nodes[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		if (symlinkat(links[i].target, dev, links[i].name) < 0) {
			if (errno == EEXIST && !m->fresh)
				continue;
			return err_sys(e, "make \"/dev/%s\"", links[i].name);
		}
		if (fchownat(dev, links[i].name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != EPERM && errno != EINVAL)
			return err_sys(e, "make \"/dev/%s\"", links[i].name);
	}
	return 0;
}

/* `top` is "/dev" for a path below it, else the container's root. */
static int make_configured(const struct maker *m, int top, const struct oci_device *d,
			   struct err *e)
{
	const struct oci_linux *l = m->spec->linux_;
	autofree char *path = strdup(below_dev(d->path) ? d->path + 4 : d->path);
	autoclose int dir = -1;
	struct node n = {
		.number = makedev((unsigned int)d->major, (unsigned int)d->minor),
		.uid = owner(m, &l->uidMappings, d->uid.value),
		.gid = owner(m, &l->gidMappings, d->gid.value),
	};
	char *slash;
	int rc;

	if (!path)
		return err_set(e, -ENOMEM, "out of memory");
	node_type(d->type, &n.mode);
	n.mode |= d->fileMode.set ? (mode_t)d->fileMode.value & 07777 : 0666;
	slash = strrchr(path, '/');
	*slash = '\0';
	dir = path_mkdirs_in(top, path, 0755, e);
	if (dir < 0)
		return dir;
	rc = make_node(m, dir, slash + 1, &n);
	return rc < 0 ? err_code(e, rc, "make device \"%s\"", d->path) : 0;
}

/* A file for the terminal to be bound on. */
static int make_console(const struct maker *m, int dev, struct err *e)
{
	autoclose int fd = openat(dev, "console", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0620);
	uint32_t uid, gid;

	if (fd < 0 && errno == EEXIST)
		return 0;
	root_ids(m, &uid, &gid);
	if (fd < 0 || (fchown(fd, uid, gid) < 0 && errno != EPERM && errno != EINVAL))
		return err_sys(e, "make \"/dev/console\"");
	return 0;
}

static int fill_dev(const struct maker *m, int dev, struct err *e)
{
	const struct oci_device_list *list = &m->spec->linux_->devices;
	int rc = make_defaults(m, dev, e);

	if (!rc && m->spec->process && m->spec->process->terminal)
		rc = make_console(m, dev, e);
	for (size_t i = 0; !rc && i < list->count; i++)
		if (below_dev(list->items[i].path))
			rc = make_configured(m, dev, &list->items[i], e);
	return rc;
}

int devices_make_dev(const struct mount_plan *plan, const struct oci_spec *spec, struct devices *d,
		     struct err *e)
{
	const struct maker m = { .spec = spec, .fresh = true, .d = d };
	char uid_option[32], gid_option[32];
	const char *const options[] = { uid_option, gid_option, NULL };
	autoclose int dev = -1;
	uint32_t uid, gid;
	mode_t mask;
	int rc;

	root_ids(&m, &uid, &gid);
	snprintf(uid_option, sizeof(uid_option), "uid=%u", uid);
	snprintf(gid_option, sizeof(gid_option), "gid=%u", gid);
	dev = mounts_make(plan, options, e);
	mask = umask(0);
	rc = dev < 0 ? dev : fill_dev(&m, dev, e);
	umask(mask);
	return rc < 0 ? rc : take_fd(&dev);
}

/* ---- the rest ---- */

/* A bind of the host's /dev, or its devtmpfs, is left as it is: it has what the host has. */
static bool dev_is_image(const struct mounts *m)
{
	return !mounts_find(m, "/dev");
}

bool devices_have_rest(const struct oci_spec *spec, const struct mounts *m)
{
	const struct oci_device_list *list = &spec->linux_->devices;
	bool rest = dev_is_image(m);

	for (size_t i = 0; !rest && i < list->count; i++)
		rest = !below_dev(list->items[i].path);
	return rest;
}

int devices_make_rest(int root, const struct oci_spec *spec, const struct mounts *m,
		      struct devices *d, struct err *e)
{
	const struct maker maker = { .spec = spec, .fresh = false, .d = d };
	const struct oci_device_list *list = &spec->linux_->devices;
	mode_t mask = umask(0);
	autoclose int dev = -1;
	int rc = 0;

	if (dev_is_image(m)) {
		/* CVE-2026-41579: no symlink stands for "/dev". */
		dev = mounts_open_target(root, "/dev", true, true, NULL, e);
		rc = dev < 0 ? dev : fill_dev(&maker, dev, e);
	}
	for (size_t i = 0; !rc && i < list->count; i++)
		if (!below_dev(list->items[i].path))
			rc = make_configured(&maker, root, &list->items[i], e);
	umask(mask);
	return rc;
}

/* ---- the host's nodes ---- */

static int bind_node(int root, const char *path, dev_t number, bool plain, struct err *e)
{
	autoclose int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	autoclose int target = -1;
	struct stat st;

	if (tree < 0 || fstat(tree, &st) < 0)
		return err_sys(e, "bind the host's device \"%s\"", path);
	if ((!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)) || st.st_rdev != number)
		return err_set(e, -ENODEV, "\"%s\" of the host is not the device that is asked for", path);
	target = mounts_open_target(root, path, false, plain, NULL, e);
	if (target < 0)
		return target;
	return sys_move_mount(tree, target) < 0 ? err_sys(e, "bind the host's device \"%s\"", path) : 0;
}

int devices_bind(int root, const struct oci_spec *spec, const struct mounts *m, struct err *e)
{
	const struct oci_device_list *list = &spec->linux_->devices;
	const struct mount_plan *dev = mounts_find(m, "/dev");
	bool ours = !dev || dev->is_dev;
	char path[32];
	int rc = 0;

	for (size_t i = 0; ours && !rc && i < ARRAY_LEN(nodes); i++) {
		snprintf(path, sizeof(path), "/dev/%s", nodes[i].name);
		rc = bind_node(root, path, makedev(nodes[i].major, nodes[i].minor), true, e);
	}
	for (size_t i = 0; !rc && i < list->count; i++) {
		const struct oci_device *d = &list->items[i];
		dev_t number = makedev((unsigned int)d->major, (unsigned int)d->minor);

		if (d->type[0] != 'p' && (ours || !below_dev(d->path)))
			rc = bind_node(root, d->path, number, below_dev(d->path), e);
	}
	return rc;
}
