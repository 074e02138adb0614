#include "oci/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "oci/sys.h"

void mounts_free(struct mounts *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->plans[i].data);
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
	const struct oci_mount *m = p->from;
	static const struct mount_flags none;
	int rc;

	if (!m->source || !m->source[0])
		return err_set(e, -EINVAL, "mount on \"%s\": a bind needs a source", m->destination);
	p->fd = sys_open_tree(bundle, m->source,
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (p->recursive ? AT_RECURSIVE : 0));
	if (p->fd < 0)
		return err_sys(e, "mount \"%s\" on \"%s\"", m->source, m->destination);
	/* Private, unless asked otherwise: what is mounted in the container stays there. */
	rc = change(p->fd, p->propagation_tree || !p->propagation ? AT_RECURSIVE : 0, &none,
		    p->propagation ? p->propagation : MS_PRIVATE);
	if (!rc)
		rc = change(p->fd, AT_RECURSIVE, &p->tree, 0);
	if (!rc)
		rc = change(p->fd, 0, &p->here, 0);
	return rc < 0 ? err_code(e, rc, "mount \"%s\" on \"%s\": set its options", m->source,
				 m->destination) :
			0;
}

int mounts_open_binds(struct mounts *m, int bundle, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < m->count; i++)
		if (!m->plans[i].type)
			rc = open_bind(&m->plans[i], bundle, e);
	return rc;
}

int mounts_idmap(const struct mounts *m, int user_ns, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_ns };

	for (size_t i = 0; i < m->count; i++) {
		const struct mount_plan *p = &m->plans[i];

		if (!p->idmap || p->fd < 0)
			continue;
		/* Some file systems map no owners (EINVAL; overlayfs, and so the host's /etc): what the
		 * host owns there belongs to nobody in the container, and is readable by its mode. */
		if (sys_mount_setattr(p->fd, p->recursive ? AT_RECURSIVE : 0, &attr) < 0 &&
		    errno != EINVAL)
			return err_sys(e, "mount \"%s\" on \"%s\": map its owners into the container",
				       p->from->source, p->from->destination);
	}
	return 0;
}

int mounts_open_filesystems(struct mounts *m, struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		struct mount_plan *p = &m->plans[i];

		if (!p->type || p->fd >= 0)
			continue;
		p->fd = mounts_make(p, NULL, e);
		if (p->fd < 0)
			return p->fd;
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

static int open_target(const struct mount_plan *p, int root)
{
	uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

	if (must_be_plain(p))
		resolve |= RESOLVE_NO_SYMLINKS;
	return sys_openat2(root, p->from->destination, O_PATH, resolve);
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

/* A directory for a directory, a file for a file. */
static int make_target(const struct mount_plan *p, int root)
{
	struct stat st;
	int fd;

	if (fstat(p->fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return make_file(root, p->from->destination);
	fd = path_mkdirs_in(root, p->from->destination, 0755, NULL);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int attach(const struct mount_plan *p, int root, struct err *e)
{
	const char *where = p->from->destination;
	autoclose int target = open_target(p, root);
	static const struct mount_flags none;
	int rc;

	if (target < 0 && errno == ELOOP && must_be_plain(p))
		return err_set(e, -ELOOP, "mount on \"%s\": it is a symbolic link in the image", where);
	if (target < 0 && errno == ENOENT) {
		rc = make_target(p, root);
		if (rc < 0)
			return err_code(e, rc, "make the mount point \"%s\"", where);
		target = open_target(p, root);
	}
	if (target < 0)
		return err_sys(e, "mount on \"%s\"", where);
	if (sys_move_mount(p->fd, target) < 0) {
		if (errno == EINVAL || errno == ENOTDIR)
			return err_set(e, -ENOTDIR,
				       "mount \"%s\" on \"%s\": one is a directory and the other is not "
				       "(are you trying to mount a directory onto a file or vice-versa?): "
				       "not a directory",
				       p->from->source ? p->from->source : "", where);
		return err_sys(e, "mount on \"%s\"", where);
	}
	/* A new file system's own propagation; a bind has got it before. */
	rc = p->type ? change(p->fd, p->propagation_tree ? AT_RECURSIVE : 0, &none,
			      p->propagation) :
		       0;
	return rc < 0 ? err_code(e, rc, "mount on \"%s\": set its propagation", where) : 0;
}

int mounts_attach(const struct mounts *m, int root, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < m->count; i++)
		rc = attach(&m->plans[i], root, e);
	/* A read-only /dev had to take the mount points of /dev/pts and others first. */
	for (size_t i = 0; !rc && i < m->count; i++) {
		const struct mount_flags read_only = { .set = MOUNT_ATTR_RDONLY };

		if (m->plans[i].is_dev && m->plans[i].here.set & MOUNT_ATTR_RDONLY &&
		    change(m->plans[i].fd, 0, &read_only, 0) < 0)
			rc = err_sys(e, "make \"/dev\" read-only");
	}
	return rc;
}
