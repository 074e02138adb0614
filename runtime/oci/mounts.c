#include "oci/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "oci/copyup.h"
#include "oci/sys.h"

void mounts_free(struct mounts *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->plans[i].data);
		free(m->plans[i].where);
		free(m->plans[i].source);
		if (m->plans[i].fd >= 0)
			close(m->plans[i].fd);
	}
	free(m->plans);
	*m = (struct mounts){ 0 };
}

/* The kernel's own sentence about a refused option waits in the context's fd: "e tmpfs: ...". */
static int explain(int fs, const struct oci_mount *m, int code, struct err *e)
{
	char text[200];
	ssize_t n = read(fs, text, sizeof(text) - 1);

	if (n <= 2)
		return err_code(e, code, "mount \"%s\" on \"%s\"", m->type, m->destination);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err_set(e, code, "mount \"%s\" on \"%s\": %s", m->type, m->destination, text + 2);
}

static int set_option(int fs, const char *option)
{
	autofree char *name = strdup(option);
	char *value = name ? strchr(name, '=') : NULL;

	if (!name)
		return -ENOMEM;
	if (value)
		*value++ = '\0';
	return sys_fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, name, value) < 0 ?
		       -errno :
		       0;
}

int mounts_make(const struct mount_plan *plan, const char *const *more, struct err *e)
{
	const struct oci_mount *m = plan->from;
	autoclose int fs = sys_fsopen(plan->type);
	int fd, rc = 0;

	if (fs < 0)
		return err_sys(e, "mount \"%s\" on \"%s\"", plan->type, m->destination);
	if (m->source && m->source[0])
		sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", m->source);
	if (plan->label && plan->label[0] &&
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "context", plan->label) < 0)
		rc = -errno;
	for (; !rc && more && *more; more++)
		rc = set_option(fs, *more);
	for (size_t i = 0; !rc && i < plan->data_count; i++)
		rc = set_option(fs, plan->data[i]);
	if (!rc && sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		rc = -errno;
	if (rc < 0)
		return explain(fs, m, rc, e);
	fd = sys_fsmount(fs, (unsigned int)plan->here.set);
	return fd < 0 ? explain(fs, m, -errno, e) : fd;
}

static int change(int fd, unsigned int flags, const struct mount_flags *f, uint64_t propagation)
{
	struct mount_attr attr = {
		.attr_set = f->set, .attr_clr = f->clear, .propagation = propagation,
	};

	if (!f->set && !f->clear && !propagation)
		return 0;
	return sys_mount_setattr(fd, flags, &attr) < 0 ? -errno : 0;
}

static int open_bind(struct mount_plan *p, int bundle, struct err *e)
{
	static const struct mount_flags none;
	int rc;

	p->fd = sys_open_tree(bundle, p->source,
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (p->recursive ? AT_RECURSIVE : 0));
	if (p->fd < 0)
		return err_sys(e, "mount \"%s\" on \"%s\"", p->source, p->where);
	/* Private, unless asked otherwise: what is mounted in the container stays there. */
	rc = change(p->fd, p->propagation_tree || !p->propagation ? AT_RECURSIVE : 0, &none,
		    p->propagation ? p->propagation : MS_PRIVATE);
	if (!rc)
		rc = change(p->fd, AT_RECURSIVE, &p->tree, 0);
	if (!rc)
		rc = change(p->fd, 0, &p->here, 0);
	return rc < 0 ? err_code(e, rc, "mount \"%s\" on \"%s\": set its options", p->source,
				 p->where) :
			0;
}

int mounts_open_binds(struct mounts *m, int bundle, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < m->count; i++)
		if (!m->plans[i].type && !m->plans[i].remount)
			rc = open_bind(&m->plans[i], bundle, e);
	return rc;
}

/* File systems that show a namespace, which a user namespace may mount only if it owns that one.
 * Where the namespace is the host's, so is the mount. */
static const struct {
	const char *type, *host;
	uint64_t space;
} shown[] = {
	{ "mqueue", "/dev/mqueue", CLONE_NEWIPC },
	{ "proc", "/proc", CLONE_NEWPID },
	{ "sysfs", "/sys", CLONE_NEWNET },
};

static int bind_shown(struct mount_plan *p, const struct namespaces *ns, int refused,
		      struct err *e)
{
	int fd, rc;

	for (size_t i = 0; refused == -EPERM && i < ARRAY_LEN(shown); i++) {
		if (strcmp(p->type, shown[i].type) != 0 || namespaces_own(ns, shown[i].space))
			continue;
		fd = sys_open_tree(AT_FDCWD, shown[i].host,
				   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		if (fd < 0)
			return err_sys(e, "mount \"%s\" on \"%s\"", shown[i].host, p->where);
		rc = change(fd, AT_RECURSIVE, &p->here, MS_PRIVATE);
		if (rc < 0)
			close(fd);
		return rc < 0 ? err_code(e, rc, "mount on \"%s\"", p->where) : fd;
	}
	return refused;
}

int mounts_open_filesystems(struct mounts *m, const struct namespaces *ns, struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		struct mount_plan *p = &m->plans[i];

		if (!p->type || p->fd >= 0 || p->remount)
			continue;
		p->fd = mounts_make(p, NULL, e);
		if (p->fd < 0)
			p->fd = bind_shown(p, ns, p->fd, e);
		if (p->fd < 0)
			return p->fd;
		if (change(p->fd, 0, &p->tree, 0) < 0)
			return err_sys(e, "mount on \"%s\": set its options", p->where);
	}
	return 0;
}

/* Where a symlink in the image must not decide what "/proc" is: what is masked and made
 * read-only later is looked up below these. */
static bool must_be_plain(const struct mount_plan *p)
{
	return p->is_dev || (p->type && (!strcmp(p->type, "proc") || !strcmp(p->type, "sysfs") ||
					 !strcmp(p->type, "cgroup2")));
}

static int look_up(int root, const char *path, bool plain)
{
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	int fd = -1;

	if (plain)
		resolve |= RESOLVE_NO_SYMLINKS;
	/* EAGAIN: a rename raced with the walk (openat2(2)). */
	for (int tries = 0; tries < 32; tries++) {
		fd = sys_openat2(root, path, O_PATH, resolve);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd < 0 ? -errno : fd;
}

static int make_file(int root, const char *path)
{
	autofree char *parent = strdup(path);
	autoclose int dir = -1;
	autoclose int fd = -1;
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!slash)
		return parent ? -EINVAL : -ENOMEM;
	*slash = '\0';
	dir = path_mkdirs_in(root, parent, 0755, NULL);
	if (dir < 0)
		return dir;
	fd = openat(dir, slash + 1, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 && errno != EEXIST ? -errno : 0;
}

int mounts_open_target(int root, const char *path, bool directory, bool plain, bool *made,
		       struct err *e)
{
	int fd = look_up(root, path, plain), rc;

	if (made)
		*made = fd == -ENOENT;
	if (fd == -ELOOP && plain)
		return err_set(e, -ELOOP, "mount on \"%s\": it is a symbolic link in the image", path);
	if (fd != -ENOENT)
		return fd < 0 ? err_code(e, fd, "mount on \"%s\"", path) : fd;
	if (directory) {
		rc = path_mkdirs_in(root, path, 0755, NULL);
		if (rc >= 0)
			close(rc);
	} else {
		rc = make_file(root, path);
	}
	if (rc < 0)
		return err_code(e, rc, "make the mount point \"%s\"", path);
	fd = look_up(root, path, plain);
	return fd < 0 ? err_code(e, fd, "mount on \"%s\"", path) : fd;
}

/* config.md: options of a mount that is there already. */
static int remount(const struct mount_plan *p, int root, struct err *e)
{
	autoclose int target = look_up(root, p->where, must_be_plain(p));
	int rc = target < 0 ? target : change(target, 0, &p->here, 0);

	if (!rc)
		rc = change(target, AT_RECURSIVE, &p->tree, 0);
	return rc < 0 ? err_code(e, rc, "remount \"%s\"", p->where) : 0;
}

/* A tmpfs over a directory looks like it unless its options say how (runc, crun). */
static int take_after(const struct mount_plan *p, int target, struct err *e)
{
	struct stat st;

	for (size_t i = 0; i < p->data_count; i++)
		if (!strncmp(p->data[i], "mode=", 5))
			return 0;
	if (fstat(target, &st) < 0 || fchmodat(p->fd, ".", st.st_mode & 07777, 0) < 0)
		return err_sys(e, "mount on \"%s\": set its mode", p->where);
	return 0;
}

static int fill(const struct mount_plan *p, int target, bool made, struct err *e)
{
	int rc = 0;

	if (!p->type || strcmp(p->type, "tmpfs") != 0 || p->is_dev || made)
		return 0;
	if (p->copy_up)
		rc = copyup(target, p->fd, e);
	if (rc < 0) {
		err_prefix(e, "mount on \"%s\": copy what is there", p->where);
		return rc;
	}
	return take_after(p, target, e);
}

static int attach(const struct mount_plan *p, int root, struct err *e)
{
	static const struct mount_flags none;
	autoclose int target = -1;
	struct stat st;
	bool made;
	int rc;

	if (p->remount)
		return remount(p, root, e);
	if (fstat(p->fd, &st) < 0)
		return err_sys(e, "mount on \"%s\"", p->where);
	target = mounts_open_target(root, p->where, S_ISDIR(st.st_mode), must_be_plain(p), &made,
				    e);
	rc = target < 0 ? target : fill(p, target, made, e);
	if (rc < 0)
		return rc;
	if (sys_move_mount(p->fd, target) < 0) {
		if (errno == EINVAL || errno == ENOTDIR)
			return err_set(e, -ENOTDIR,
				       "mount \"%s\" on \"%s\": one is a directory and the other is not "
				       "(are you trying to mount a directory onto a file or vice-versa?): "
				       "not a directory",
				       p->from->source ? p->from->source : "", p->where);
		return err_sys(e, "mount on \"%s\"", p->where);
	}
	/* A new file system's own propagation; a bind has got it before. */
	if (p->type)
		rc = change(p->fd, p->propagation_tree ? AT_RECURSIVE : 0, &none, p->propagation);
	return rc < 0 ? err_code(e, rc, "mount on \"%s\": set its propagation", p->where) : 0;
}

int mounts_attach(const struct mounts *m, int root, struct err *e)
{
	static const struct mount_flags read_only = { .set = MOUNT_ATTR_RDONLY };
	int rc = 0;

	for (size_t i = 0; !rc && i < m->count; i++)
		rc = attach(&m->plans[i], root, e);
	for (size_t i = 0; !rc && i < m->count; i++)
		if (m->plans[i].late_ro && change(m->plans[i].fd, 0, &read_only, 0) < 0)
			rc = err_sys(e, "make \"%s\" read-only", m->plans[i].where);
	return rc;
}
