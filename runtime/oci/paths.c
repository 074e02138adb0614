#include "oci/paths.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "oci/sys.h"

/* A mount to put on many places: itself on the first, copies of what lies there on the others (a
 * detached mount cannot be copied before Linux 6.15). */
struct cover {
	int fd;
	bool used;
};

static int cover_put(struct cover *c, int target)
{
	autoclose int copy = -1;

	if (!c->used) {
		c->used = true;
		return sys_move_mount(c->fd, target) < 0 ? -errno : 0;
	}
	copy = sys_open_tree(c->fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return copy < 0 || sys_move_mount(copy, target) < 0 ? -errno : 0;
}

static int check_list(const struct string_list *list, const char *key, struct err *e)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i][0] != '/')
			return err_set(e, -EINVAL, "linux.%s: \"%s\" is not an absolute path", key,
				       list->items[i]);
	return 0;
}

int paths_check(const struct oci_linux *l, struct err *e)
{
	int rc = check_list(&l->maskedPaths, "maskedPaths", e);

	return rc < 0 ? rc : check_list(&l->readonlyPaths, "readonlyPaths", e);
}

int paths_open_null(struct err *e)
{
	autoclose int fd = sys_open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open \"/dev/null\"");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(e, -ENODEV, "\"/dev/null\" of this host is not the null device");
	return take_fd(&fd);
}

static int empty_directory(void)
{
	autoclose int fs = sys_fsopen("tmpfs");

	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k") < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1") < 0 ||
	    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return -errno;
	return sys_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				       MOUNT_ATTR_NOEXEC);
}

/* An fd of what is there; -ENOENT if nothing is, which is fine for either list. */
static int open_path(int root, const char *path)
{
	int fd = sys_openat2(root, path, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	return fd;
}

static int mask(int root, const char *path, struct cover *file, struct cover *directory)
{
	autoclose int target = open_path(root, path);
	struct stat st;

	if (target < 0)
		return target == -ENOENT ? 0 : target;
	if (fstat(target, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return cover_put(file, target);
	if (directory->fd < 0)
		directory->fd = empty_directory();
	return directory->fd < 0 ? directory->fd : cover_put(directory, target);
}

static int make_read_only(int root, const char *path)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	autoclose int target = open_path(root, path);
	autoclose int tree = -1;

	if (target < 0)
		return target == -ENOENT ? 0 : target;
	tree = sys_open_tree(target, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
						 AT_RECURSIVE);
	if (tree < 0 || sys_mount_setattr(tree, AT_RECURSIVE, &attr) < 0 ||
	    sys_move_mount(tree, target) < 0)
		return -errno;
	return 0;
}

int paths_protect(int root, int null, const struct oci_linux *l, struct err *e)
{
	autoclose int null_fd = null;
	struct cover file = { .fd = null_fd }, directory = { .fd = -1 };
	int rc = 0;

	for (size_t i = 0; !rc && i < l->readonlyPaths.count; i++) {
		rc = make_read_only(root, l->readonlyPaths.items[i]);
		if (rc < 0)
			err_code(e, rc, "make \"%s\" read-only", l->readonlyPaths.items[i]);
	}
	for (size_t i = 0; !rc && i < l->maskedPaths.count; i++) {
		rc = mask(root, l->maskedPaths.items[i], &file, &directory);
		if (rc < 0)
			err_code(e, rc, "mask \"%s\"", l->maskedPaths.items[i]);
	}
	if (directory.fd >= 0)
		close(directory.fd);
	return rc;
}
