#include "unpack/view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "image/stack.h"

/* <sys/mount.h> and <linux/mount.h> cannot be included together with glibc 2.36. */
enum { TOLD_MAX = 4 << 20, EMPTY_PATH = 0x1000, TREE_RECURSIVE = 0x8000, MOUNTS_MAX = 4096,
       MOUNT_ROOT = 0x2000 /* STATX_ATTR_MOUNT_ROOT, which musl lacks */ };

/* ---- what is told ---- */

static const char *text_of(yyjson_val *object, const char *key)
{
	return yyjson_get_str(yyjson_obj_get(object, key));
}

static yyjson_doc *read_told(struct err *e)
{
	autobuf struct buf text = { 0 };
	yyjson_doc *doc = NULL;

	if (file_read_fd(TOLD_FD, TOLD_MAX, &text, e) < 0)
		return NULL;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	if (!doc)
		err_set(e, -EINVAL, "what is told of the container is no JSON");
	return doc;
}

/* ---- mounts ---- */

static int clone_tree(int dir, const char *path, bool below)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : EMPTY_PATH) |
			 (below ? TREE_RECURSIVE : 0);
	long fd = syscall(SYS_open_tree, dir, path, flags);

	return fd < 0 ? -errno : (int)fd;
}

static int mount_call(const char *source, const char *target, const char *type, unsigned long flags)
{
	return syscall(SYS_mount, source, target, type, flags, NULL) < 0 ? -errno : 0;
}

static int set_attributes(const char *path, uint64_t attributes)
{
	struct mount_attr attr = { .attr_set = attributes };

	return syscall(SYS_mount_setattr, AT_FDCWD, path, TREE_RECURSIVE, &attr, sizeof(attr)) < 0 ?
		       -errno : 0;
}

static int own_namespace(struct err *e)
{
	if (unshare(CLONE_NEWNS) < 0 || mount_call("", "/", NULL, MS_SLAVE | MS_REC) < 0)
		return err_sys(e, "a mount namespace for the container's files");
	return 0;
}

/* What the container has there is its business: only a mount of its own, reached without a symlink,
 * and none that speaks with the kernel. */
static int clone_mount(int root, const char *target)
{
	static const uint64_t refused[] = { PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP2_SUPER_MAGIC,
					    CGROUP_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC };
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS };
	autoclose int fd = (int)syscall(SYS_openat2, root, target, &how, sizeof(how));
	struct statfs fs;
	struct statx st;

	if (fd < 0 || fstatfs(fd, &fs) < 0 ||
	    syscall(SYS_statx, fd, "", EMPTY_PATH, STATX_BASIC_STATS, &st) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if ((uint64_t)fs.f_type == refused[i])
			return -1;
	return st.stx_attributes & MOUNT_ROOT ? clone_tree(fd, "", true) : -1;
}

struct mounts {
	yyjson_val *list;
	int root;              /* clone of the live one's root; -1 */
	int *fds;              /* one for each of the list; -1: not there */
	size_t count;
};

/* In the container's namespace, where only its mounts can be cloned; and back. */
static int clone_live(struct mounts *m, struct err *e)
{
	autoclose int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), root = -1;
	yyjson_val *one;
	size_t i, n;

	if (home < 0)
		return err_sys(e, "open our mount namespace");
	if (setns(PROCESS_FD, CLONE_NEWNS) < 0)
		return errno == ESRCH ? err_set(e, -EBUSY, "the container has just ended") :
					err_sys(e, "enter the container's mount namespace");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	m->root = clone_tree(root, "", false);
	yyjson_arr_foreach(m->list, i, n, one)
		m->fds[i] = clone_mount(root, text_of(one, "target"));
	if (setns(home, CLONE_NEWNS) < 0)
		return err_sys(e, "leave the container's mount namespace");
	return m->root < 0 ? err_code(e, m->root, "clone the container's root") : 0;
}

static int clone_sources(struct mounts *m)
{
	yyjson_val *one;
	size_t i, n;

	m->root = -1;
	yyjson_arr_foreach(m->list, i, n, one)
		m->fds[i] = text_of(one, "source") ?
				    clone_tree(AT_FDCWD, text_of(one, "source"), true) : -1;
	return 0;
}

static int open_mounts(struct mounts *m, yyjson_val *told, struct err *e)
{
	m->list = yyjson_obj_get(told, "mounts");
	m->count = yyjson_arr_size(m->list);
	m->root = -1;
	if (m->count > MOUNTS_MAX)
		return err_set(e, -E2BIG, "the container has more than %d mounts", MOUNTS_MAX);
	m->fds = calloc(m->count + 1, sizeof(*m->fds));
	if (!m->fds)
		return err_set(e, -ENOMEM, "out of memory");
	return yyjson_get_bool(yyjson_obj_get(told, "live")) ? clone_live(m, e) : clone_sources(m);
}

static void close_mounts(struct mounts *m)
{
	for (size_t i = 0; m->fds && i < m->count; i++)
		cleanup_fd(&m->fds[i]);
	free(m->fds);
	cleanup_fd(&m->root);
}

static int attach(int tree, int target)
{
	return syscall(SYS_move_mount, tree, "", target, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

/* What a container that never ran lacks is made, as its start would. */
static int open_target(int root, const char *target, int tree)
{
	int fd = path_open_in(root, target, O_PATH, 0, NULL);
	struct stat st;

	if (fd >= 0 || fstat(tree, &st) < 0)
		return fd;
	if (S_ISDIR(st.st_mode))
		return path_mkdirs_in(root, target, 0755, NULL);
	fd = path_open_in(root, target, O_WRONLY | O_CREAT, 0644, NULL);
	cleanup_fd(&fd);
	return path_open_in(root, target, O_PATH, 0, NULL);
}

static int attach_mounts(const struct mounts *m, int root, struct err *e)
{
	yyjson_val *one;
	size_t i, n;

	yyjson_arr_foreach(m->list, i, n, one) {
		const char *target = text_of(one, "target");
		struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
		autoclose int fd = m->fds[i] < 0 ? -1 : open_target(root, target, m->fds[i]);
		int rc;

		/* What is not there of a container that does not run shows nothing. */
		if (fd < 0)
			continue;
		if (yyjson_get_bool(yyjson_obj_get(one, "readOnly")) &&
		    syscall(SYS_mount_setattr, m->fds[i], "", EMPTY_PATH, &attr, sizeof(attr)) < 0)
			return err_sys(e, "make \"%s\" read-only", target);
		rc = attach(m->fds[i], fd);
		if (rc < 0)
			return err_code(e, rc, "attach \"%s\"", target);
	}
	return 0;
}

/* ---- the root of one that does not run ---- */

static int add_lowers(struct stack *s, yyjson_val *told, struct err *e)
{
	yyjson_val *one;
	size_t i, n;
	int rc = 0;

	yyjson_arr_foreach(yyjson_obj_get(told, "lower"), i, n, one)
		if (!rc)
			rc = stack_add_lower(s, yyjson_get_str(one), e);
	return rc;
}

/* What is written goes to a file system in memory, and the container's own upper directory is a
 * layer like the others: so nothing is lost when the container is started meanwhile. */
static int throw_away(struct stack *s, const char *scratch, const char *upper, yyjson_val *told,
		      struct err *e)
{
	char path[PATH_MAX];
	int rc = mount_call("tmpfs", scratch, "tmpfs", 0);

	if (rc < 0)
		return err_code(e, rc, "a file system in memory");
	if (upper && access(upper, F_OK) == 0)
		rc = stack_add_lower(s, upper, e);
	if (!rc)
		rc = add_lowers(s, told, e);
	for (size_t i = 0; !rc && i < 3; i++) {
		static const char *const parts[] = { "upper", "work", "root" };

		snprintf(path, sizeof(path), "%s/%s", scratch, parts[i]);
		rc = path_mkdirs(path, 0755, e);
	}
	if (rc < 0)
		return rc;
	s->upper = asprintf(&s->upper, "%s/upper", scratch) < 0 ? NULL : s->upper;
	s->work = asprintf(&s->work, "%s/work", scratch) < 0 ? NULL : s->work;
	return s->upper && s->work ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int keep_changes(struct stack *s, const char *upper, const char *work, yyjson_val *told,
			struct err *e)
{
	int rc = add_lowers(s, told, e);

	if (!rc)
		rc = path_mkdirs(upper, 0755, e);
	if (!rc)
		rc = path_mkdirs(work, 0755, e);
	s->upper = strdup(upper);
	s->work = strdup(work);
	return rc < 0 || (s->upper && s->work) ? rc : err_set(e, -ENOMEM, "out of memory");
}

static int mount_layers(yyjson_val *told, const char *scratch, bool write, struct err *e)
{
	const char *upper = text_of(told, "upper"), *work = text_of(told, "work");
	struct stack s = { 0 };
	char target[PATH_MAX];
	int rc;

	if (write && (!upper || !work))
		return err_set(e, -EINVAL, "nothing is told of where changes go");
	rc = write ? keep_changes(&s, upper, work, told, e) :
		     throw_away(&s, scratch, upper, told, e);
	snprintf(target, sizeof(target), "%s%s", scratch, write ? "" : "/root");
	if (!rc)
		rc = stack_mount(&s, target, e);
	if (!rc && !write) {
		/* Out of the file system in memory, which this hides: one root, whatever it is of. */
		autoclose int tree = clone_tree(AT_FDCWD, target, false);
		autoclose int over = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);

		rc = tree < 0 ? tree : attach(tree, over);
		if (rc < 0)
			err_code(e, rc, "attach the container's layers");
	}
	stack_free(&s);
	return rc;
}

/* ---- the whole ---- */

/* Host root has no id on an id-mapped file system: what is made belongs to the container's root,
 * and the capabilities that a changed fsuid drops are taken back. */
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
	return syscall(SYS_capset, &header, caps) < 0 ? err_sys(e, "keep capabilities") : 0;
}

static int mount_root(const struct mounts *m, yyjson_val *told, const char *scratch, bool write,
		      struct err *e)
{
	autoclose int over = -1;
	int rc;

	if (!yyjson_get_bool(yyjson_obj_get(told, "live")))
		return mount_layers(told, scratch, write, e);
	over = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rc = over < 0 ? -errno : attach(m->root, over);
	return rc < 0 ? err_code(e, rc, "attach the container's root") : 0;
}

static int fill_view(struct view *v, yyjson_val *told, const char *scratch, bool write,
		     struct err *e)
{
	struct mounts m = { .root = -1 };
	int rc = open_mounts(&m, told, e);

	v->base = (uint32_t)yyjson_get_uint(yyjson_obj_get(told, "base"));
	v->read_only = yyjson_get_bool(yyjson_obj_get(told, "readOnly"));
	if (!rc)
		rc = mount_root(&m, told, scratch, write, e);
	if (!rc) {
		v->root = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
		rc = v->root < 0 ? err_sys(e, "open \"%s\"", scratch) : become(v->base, e);
	}
	if (!rc)
		rc = attach_mounts(&m, v->root, e);
	if (!rc) {
		rc = set_attributes(scratch, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
		if (rc < 0)
			err_code(e, rc, "shut devices off");
	}
	close_mounts(&m);
	return rc;
}

int view_open(struct view *v, const char *scratch, bool write, struct err *e)
{
	yyjson_doc *doc = read_told(e);
	yyjson_val *told = yyjson_doc_get_root(doc);
	int rc = doc ? own_namespace(e) : -EINVAL;

	*v = (struct view){ .root = -1 };
	if (!rc)
		rc = fill_view(v, told, scratch, write, e);
	if (!rc && text_of(told, "user") && *text_of(told, "user"))
		v->user = strdup(text_of(told, "user"));
	yyjson_doc_free(doc);
	if (rc < 0)
		view_close(v);
	return rc;
}

void view_close(struct view *v)
{
	cleanup_fd(&v->root);
	free(v->user);
	*v = (struct view){ .root = -1 };
}

static int open_changes(yyjson_val *told, int *upper, int *lower, const char *scratch,
			struct err *e)
{
	const char *path = text_of(told, "upper");
	struct stack s = { 0 };
	int rc = add_lowers(&s, told, e);

	if (!rc)
		rc = stack_mount(&s, scratch, e);
	stack_free(&s);
	if (rc < 0)
		return rc;
	*lower = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lower < 0)
		return err_sys(e, "open \"%s\"", scratch);
	*upper = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return *upper < 0 && errno != ENOENT ? err_sys(e, "open \"%s\"", path ? path : "") : 0;
}

int view_open_changes(int *upper, int *lower, const char *scratch, struct err *e)
{
	yyjson_doc *doc = read_told(e);
	int rc = doc ? own_namespace(e) : -EINVAL;

	*upper = *lower = -1;
	if (!rc)
		rc = open_changes(yyjson_doc_get_root(doc), upper, lower, scratch, e);
	yyjson_doc_free(doc);
	return rc;
}
