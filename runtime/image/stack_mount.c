/* Mounting a stack. Layers that lie in one directory share one id-mapped clone of it, so a
 * container costs two such clones and one overlay, however many layers it has. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "image/stack.h"

/* <sys/mount.h> and <linux/mount.h> cannot be included together with glibc 2.36, and musl's has
 * none of the new calls: so the kernel's header and plain system calls. */
enum {
	DETACH = 2,            /* MNT_DETACH */
	TREES_MAX = 16,        /* directories that hold layers; stores are one or two */
	OPTION_MAX = 256,      /* of one fsconfig string, the kernel's limit */
	EMPTY_PATH = 0x1000,   /* AT_EMPTY_PATH */
};

struct tree {
	const char *dir;       /* not terminated: the first `len` bytes of a path of the stack */
	size_t len;
	int fd;
};

struct mounting {
	const struct stack *stack;
	const char *target;
	int userns;            /* -1: no id mapping */
	int context;           /* of fsopen */
	int below;             /* the target before anything is mounted on it */
	struct tree trees[TREES_MAX];
	size_t tree_count;
	unsigned int attached; /* clones that lie on the target */
};

/* The kernel explains a refusal in the context's message queue: "e overlay: ...". */
static int mount_error(struct mounting *m, struct err *e, const char *what)
{
	int code = -errno;
	char text[200];
	ssize_t n = m->context >= 0 ? read(m->context, text, sizeof(text) - 1) : -1;

	if (n <= 2)
		return err_code(e, code, "mount overlay on \"%s\": %s", m->target, what);
	text[n] = '\0';
	return err_set(e, code, "mount overlay on \"%s\": %s: %s (%s)", m->target, what, text + 2,
		       strerror(-code));
}

static int write_map(pid_t pid, const char *map, const struct stack *s, struct err *e)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, map);
	snprintf(text, sizeof(text), "0 %" PRIu32 " %" PRIu32, s->idmap_base, s->idmap_size);
	return file_put_at(AT_FDCWD, path, text, e);
}

/* A user namespace lives as long as somebody is in it or holds its fd: a child is in it just long
 * enough for us to write its maps and open it. Returns the fd or -errno. */
static int make_userns(const struct stack *s, struct err *e)
{
	char path[64];
	int hold[2], fd = -1, rc;
	pid_t pid;

	if (pipe2(hold, O_CLOEXEC) < 0)
		return err_sys(e, "user namespace");
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		char c;

		close(hold[1]);
		_exit(read(hold[0], &c, 1) < 0);
	}
	rc = pid < 0 ? err_sys(e, "user namespace") : write_map(pid, "uid_map", s, e);
	if (!rc)
		rc = write_map(pid, "gid_map", s, e);
	if (!rc) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			rc = err_sys(e, "open \"%s\"", path);
	}
	close(hold[0]);
	close(hold[1]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc < 0 ? rc : fd;
}

/* Overlayfs takes layers only from mounts that are attached in our namespace (kernels before 6.15
 * check it): so each clone is laid onto the target, one over the other; their fds reach all. */
static int attach_clone(struct mounting *m, const char *dir, struct err *e)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)m->userns,
	};
	autoclose int fd =
		(int)syscall(SYS_open_tree, AT_FDCWD, dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open layers \"%s\"", dir);
	if (syscall(SYS_mount_setattr, fd, "", EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "map ids of layers \"%s\"", dir);
	if (syscall(SYS_move_mount, fd, "", AT_FDCWD, m->target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "attach layers \"%s\"", dir);
	m->attached++;
	return take_fd(&fd);
}

/* The fd of the directory that `path` lies in, id-mapped if the stack is. */
static int tree_of(struct mounting *m, const char *path, struct err *e)
{
	struct tree *t = m->trees;
	char dir[4096];
	size_t len = (size_t)(strrchr(path, '/') - path);

	for (; t < m->trees + m->tree_count; t++)
		if (t->len == len && !strncmp(t->dir, path, len))
			return t->fd;
	if (m->tree_count == TREES_MAX || len >= sizeof(dir))
		return err_set(e, -E2BIG, "overlay stack: layers in more than %d directories",
			       TREES_MAX);
	snprintf(dir, sizeof(dir), "%.*s", len ? (int)len : 1, path);
	if (m->userns >= 0) {
		t->fd = attach_clone(m, dir, e);
	} else {
		t->fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (t->fd < 0)
			return err_sys(e, "open layers \"%s\"", dir);
	}
	if (t->fd < 0)
		return t->fd;
	t->dir = path;
	t->len = len;
	m->tree_count++;
	return t->fd;
}

static int set_option(struct mounting *m, const char *key, const char *value, struct err *e)
{
	if (syscall(SYS_fsconfig, m->context, FSCONFIG_SET_STRING, key, value, 0) < 0)
		return mount_error(m, e, key);
	return 0;
}

static int set_dir(struct mounting *m, const char *key, const char *path, struct err *e)
{
	char option[OPTION_MAX];
	int fd = tree_of(m, path, e);

	if (fd < 0)
		return fd;
	if ((size_t)snprintf(option, sizeof(option), "/proc/self/fd/%d%s", fd,
			     strrchr(path, '/')) >= sizeof(option))
		return err_set(e, -ENAMETOOLONG, "overlay stack: name of \"%s\" is too long", path);
	return set_option(m, key, option, e);
}

/* Without an upper overlayfs wants two lowers: the empty target is a second one for any image. */
static int set_empty_bottom(struct mounting *m, struct err *e)
{
	char option[OPTION_MAX];

	snprintf(option, sizeof(option), "/proc/self/fd/%d", m->below);
	return set_option(m, "lowerdir+", option, e);
}

static int configure(struct mounting *m, struct err *e)
{
	/* Nothing in a layer may point the kernel at another file (redirect, metacopy), and no
	 * index or inode table is needed for a root that is never exported. */
	static const char *const fixed[][2] = {
		{ "source", "berth" },    { "redirect_dir", "nofollow" },
		{ "index", "off" },       { "metacopy", "off" },
		{ "xino", "off" },
	};
	const struct stack *s = m->stack;
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(fixed); i++)
		rc = set_option(m, fixed[i][0], fixed[i][1], e);
	for (size_t i = 0; !rc && i < s->lower_count; i++)
		rc = set_dir(m, "lowerdir+", s->lower[i], e);
	if (!rc && !s->upper)
		rc = set_empty_bottom(m, e);
	if (!rc && s->upper)
		rc = set_dir(m, "upperdir", s->upper, e);
	if (!rc && s->upper)
		rc = set_dir(m, "workdir", s->work, e);
	return rc;
}

/* Overlayfs makes files in the upper with the credentials of who made the mount, and root of the
 * host has no id on an id-mapped mount (EOVERFLOW, and the overlay goes silently read-only). So the
 * mount is made as the container's root, which is 0 on the disk, with the capabilities kept that a
 * changed fsuid would drop. With `id` 0 it is the way back. */
static int become(uint32_t id, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	setfsgid(id);
	setfsuid(id);
	if (syscall(SYS_capget, &header, caps) < 0)
		return err_sys(e, "read capabilities");
	for (size_t i = 0; i < ARRAY_LEN(caps); i++)
		caps[i].effective = caps[i].permitted;
	if (syscall(SYS_capset, &header, caps) < 0)
		return err_sys(e, "keep capabilities");
	return 0;
}

static int create(struct mounting *m, struct err *e)
{
	uint32_t id = m->stack->idmap_size ? m->stack->idmap_base : 0;
	int rc = become(id, e);

	if (!rc && syscall(SYS_fsconfig, m->context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		rc = mount_error(m, e, "layers do not fit together");
	become(0, NULL);
	return rc;
}

/* Returns the fd of the detached overlay, or -errno. */
static int make_overlay(struct mounting *m, struct err *e)
{
	/* Another user namespace has no say over devices; with the host's, docker allows them. */
	unsigned int attributes = m->userns >= 0 ? MOUNT_ATTR_NODEV : 0;
	autoclose int fd = -1;
	struct statvfs info;
	int rc;

	m->context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	if (m->context < 0)
		return mount_error(m, e, "the kernel has no overlayfs");
	rc = configure(m, e);
	if (!rc)
		rc = create(m, e);
	if (rc < 0)
		return rc;
	fd = (int)syscall(SYS_fsmount, m->context, FSMOUNT_CLOEXEC, attributes);
	if (fd < 0)
		return mount_error(m, e, "fsmount");
	/* Overlayfs falls back to read-only where it cannot use its work directory. */
	if (m->stack->upper && !fstatvfs(fd, &info) && (info.f_flag & ST_RDONLY))
		return err_set(e, -EROFS, "mount overlay on \"%s\": \"%s\" cannot be written",
			       m->target, m->stack->upper);
	return take_fd(&fd);
}

int stack_mount(const struct stack *s, const char *target, struct err *e)
{
	struct mounting m = { .stack = s, .target = target, .userns = -1, .context = -1 };
	autoclose int overlay = -1, below = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (below < 0)
		return err_sys(e, "open \"%s\"", target);
	m.below = below;
	if (s->idmap_size) {
		m.userns = make_userns(s, e);
		if (m.userns < 0)
			return m.userns;
	}
	overlay = make_overlay(&m, e);
	if (overlay < 0)
		rc = overlay;
	/* The overlay holds copies of its own: the clones leave before it takes their place. */
	while (m.attached && syscall(SYS_umount2, target, DETACH) == 0)
		m.attached--;
	if (!rc && syscall(SYS_move_mount, overlay, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		rc = mount_error(&m, e, "attach");
	for (size_t i = 0; i < m.tree_count; i++)
		close(m.trees[i].fd);
	cleanup_fd(&m.context);
	cleanup_fd(&m.userns);
	return rc;
}
