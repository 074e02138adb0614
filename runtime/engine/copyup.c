/* Filling new volumes with what the image has at their place. Done by a forked child in a mount
 * namespace of its own, where the image's layers lie on one another read-only: so whiteouts and
 * symlinks mean what the container would see, and the engine never waits for a large copy.
 * The copy is made beside the volume and renamed onto it, so that half a copy is never used. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "engine/internal.h"
#include "image/stack.h"

enum { DEPTH_MAX = 128, ATTR_NAMES_MAX = 64 * 1024, ATTR_VALUE_MAX = 64 * 1024 };

static int copy_tree(int from, int to, int depth);

static int copy_xattrs(int from, int to)
{
	autofree char *names = malloc(ATTR_NAMES_MAX);
	autofree char *value = malloc(ATTR_VALUE_MAX);
	ssize_t len;

	if (!names || !value)
		return -ENOMEM;
	len = flistxattr(from, names, ATTR_NAMES_MAX);
	for (char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
		ssize_t n;

		/* trusted.overlay.* speaks of layers, not of files. */
		if (!strncmp(name, "trusted.", 8))
			continue;
		n = fgetxattr(from, name, value, ATTR_VALUE_MAX);
		if (n >= 0 && fsetxattr(to, name, value, (size_t)n, 0) < 0 && errno != ENOTSUP)
			return -errno;
	}
	return 0;
}

/* Owner before mode: chown takes set-id bits away. */
static int copy_meta(int from, int to, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	int rc;

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	rc = copy_xattrs(from, to);
	if (!rc && futimens(to, times) < 0)
		rc = -errno;
	return rc;
}

static int copy_file(int dir, int to_dir, const char *name, const struct stat *st)
{
	autoclose int from = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	autoclose int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n;

	if (from < 0 || to < 0)
		return -errno;
	do
		n = sendfile(to, from, NULL, 1 << 20);
	while (n > 0);
	return n < 0 ? -errno : copy_meta(from, to, st);
}

static int copy_dir(int dir, int to_dir, const char *name, const struct stat *st, int depth)
{
	autoclose int from = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int to = -1;
	int rc;

	if (from < 0 || (mkdirat(to_dir, name, 0700) < 0 && errno != EEXIST))
		return -errno;
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -errno;
	rc = copy_tree(from, to, depth + 1);
	return rc < 0 ? rc : copy_meta(from, to, st);
}

static int copy_symlink(int dir, int to_dir, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_node(int to_dir, const char *name, const struct stat *st)
{
	if (S_ISSOCK(st->st_mode))
		return 0;
	if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

static int copy_entry(int dir, int to_dir, const char *name, int depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return copy_file(dir, to_dir, name, &st);
	if (S_ISDIR(st.st_mode))
		return copy_dir(dir, to_dir, name, &st, depth);
	if (S_ISLNK(st.st_mode))
		return copy_symlink(dir, to_dir, name, &st);
	return copy_node(to_dir, name, &st);
}

static int copy_tree(int from, int to, int depth)
{
	autodir DIR *d = NULL;
	autoclose int fd = dup(from);
	struct dirent *entry;
	int rc = 0;

	if (depth > DEPTH_MAX)
		return -ELOOP;
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return -errno;
	take_fd(&fd);
	while (!rc && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			rc = copy_entry(from, to, entry->d_name, depth);
	return rc;
}

/* `volume` is VOLUMES/NAME: "_data.new" is filled and takes the place of the empty "_data". */
static int fill_volume(int source, const char *volume, struct err *e)
{
	autoclose int dir = open(volume, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autoclose int to = -1;
	struct stat st;
	int rc;

	if (dir < 0)
		return err_sys(e, "open \"%s\"", volume);
	rc = path_remove_tree(dir, "_data.new", e);
	if (rc < 0)
		return rc;
	if (mkdirat(dir, "_data.new", 0700) < 0)
		return err_sys(e, "fill \"%s\"", volume);
	to = openat(dir, "_data.new", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0 || fstat(source, &st) < 0)
		return err_sys(e, "fill \"%s\"", volume);
	rc = copy_tree(source, to, 0);
	if (!rc)
		rc = copy_meta(source, to, &st);
	if (!rc && (syncfs(to) < 0 || renameat(dir, "_data.new", dir, "_data") < 0))
		rc = -errno;
	if (rc < 0) {
		path_remove_tree(dir, "_data.new", NULL);
		return err_code(e, rc, "copy the image's files to \"%s\"", volume);
	}
	return 0;
}

static int fill_volumes(struct container *c, int root, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < c->spec.volumes.count; i++) {
		const struct spec_volume *v = &c->spec.volumes.items[i];
		autoclose int source = -1;
		char path[PATH_MAX];

		if (strcmp(v->type, "volume") || v->nocopy)
			continue;
		source = path_open_in(root, v->target, O_RDONLY | O_DIRECTORY, 0, NULL);
		if (source < 0)
			continue;
		rc = volume_path(c->engine, v->source, path, sizeof(path));
		/* rmdir succeeds only on an empty one; whoever has data keeps it. */
		if (!rc && rmdir(path) < 0 && errno != ENOENT)
			continue;
		*strrchr(path, '/') = '\0';
		rc = fill_volume(source, path, e);
		if (rc < 0) {
			strcat(path, "/_data");
			mkdir(path, 0755);
		}
	}
	return rc;
}

static int open_image(struct container *c, const struct image *image, struct err *e)
{
	struct stack s = { 0 };
	char path[PATH_MAX];
	int rc = 0, fd = -1;

	for (size_t i = image->layer_count; !rc && i--;) {
		autofree char *dir = NULL;

		rc = image_layer_dir(c->engine->store, image, i, &dir, e);
		if (!rc)
			rc = stack_add_lower(&s, dir, e);
	}
	container_run_dir(c, "rootfs", path, sizeof(path));
	if (!rc && s.lower_count == 1) {
		snprintf(path, sizeof(path), "%s", s.lower[0]);
	} else if (!rc) {
		if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
			rc = err_sys(e, "a mount namespace for volumes");
		if (!rc)
			rc = stack_mount(&s, path, e);
	}
	if (!rc) {
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			rc = err_sys(e, "open \"%s\"", path);
	}
	stack_free(&s);
	return rc < 0 ? rc : fd;
}

static _Noreturn void child_main(struct container *c, const struct image *image, int complaint)
{
	struct err e = { 0 };
	autoclose int root = open_image(c, image, &e);
	int rc = root < 0 ? root : fill_volumes(c, root, &e);

	if (rc < 0)
		file_write_all(complaint, e.text, strlen(e.text));
	_exit(rc < 0);
}

int copyup_run(struct container *c, const struct image *image, struct child *child, int *complaint,
	       struct err *e)
{
	autoclose int said = memfd_create("copyup", MFD_CLOEXEC);
	pid_t pid;

	if (said < 0)
		return err_sys(e, "fill volumes");
	pid = fork();
	if (pid < 0)
		return err_sys(e, "fill volumes");
	if (!pid)
		child_main(c, image, said);
	child->pid = pid;
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (child->pidfd < 0) {
		int rc = err_sys(e, "fill volumes");

		spawn_wait(child);
		return rc;
	}
	*complaint = take_fd(&said);
	return 0;
}
