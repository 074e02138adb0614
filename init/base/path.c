#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static int openat2_retry(int dir, const char *path, struct open_how *how)
{
	long fd;

	/* EAGAIN: a rename raced with the walk (openat2(2)); the next try sees a settled tree. */
	for (int tries = 0; tries < 32; tries++) {
		fd = syscall(SYS_openat2, dir, path, how, sizeof(*how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return (int)fd;
}

int path_open_in(int root, const char *path, int flags, mode_t mode, struct err *e)
{
	struct open_how how = {
		.flags = (unsigned int)flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = openat2_retry(root, path, &how);

	return fd >= 0 ? fd : err_sys(e, "open \"%s\"", path);
}

/* One component below `dir`: opened, or made and opened. `root` bounds symlinks. */
static int step(int root, const char *prefix, mode_t mode)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = openat2_retry(root, prefix, &how);
	autoclose int parent = -1;
	char head[PATH_MAX];
	char *slash;

	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : -errno;
	snprintf(head, sizeof(head), "%s", prefix);
	slash = strrchr(head, '/');
	if (slash)
		*slash = '\0';
	parent = openat2_retry(root, slash && slash != head ? head : ".", &how);
	if (parent < 0)
		return -errno;
	if (mkdirat(parent, slash ? slash + 1 : head, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat2_retry(root, prefix, &how);
	return fd >= 0 ? fd : -errno;
}

int path_mkdirs_in(int root, const char *path, mode_t mode, struct err *e)
{
	char prefix[PATH_MAX];
	size_t len = 0;
	int fd = -1;

	if (strlen(path) >= sizeof(prefix))
		return err_set(e, -ENAMETOOLONG, "make directory: path is longer than %d bytes", PATH_MAX);
	prefix[0] = '\0';
	for (const char *p = path; *p;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (!n)
			break;
		if (len)
			prefix[len++] = '/';
		memcpy(prefix + len, p, n);
		len += n;
		prefix[len] = '\0';
		p += n;
		if (fd >= 0)
			close(fd);
		fd = step(root, prefix, mode);
		if (fd < 0)
			return err_code(e, fd, "make directory \"%s\"", prefix);
	}
	return fd >= 0 ? fd : path_open_in(root, ".", O_PATH | O_DIRECTORY, 0, e);
}

int path_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return err_set(e, -ENAMETOOLONG, "make directory: path is longer than %d bytes", PATH_MAX);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_sys(e, "make directory \"%s\"", part);
	}
	return 0;
}

static int remove_children(int dir, dev_t device)
{
	autodir DIR *d = fdopendir(dir);
	struct dirent *entry;
	int rc = 0;

	if (!d) {
		rc = -errno;
		close(dir);
		return rc;
	}
	while ((entry = readdir(d))) {
		struct stat st;
		int child;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (!unlinkat(dirfd(d), entry->d_name, 0))
			continue;
		if (errno != EISDIR && errno != EPERM)
			return -errno;
		child = openat(dirfd(d), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			return -errno;
		if (fstat(child, &st) < 0 || st.st_dev != device) {
			close(child);
			return -EXDEV;
		}
		rc = remove_children(child, device);
		if (rc < 0)
			return rc;
		if (unlinkat(dirfd(d), entry->d_name, AT_REMOVEDIR) < 0)
			return -errno;
	}
	return 0;
}

int path_remove_tree(int dir, const char *name, struct err *e)
{
	struct stat st;
	int fd, rc;

	if (!unlinkat(dir, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(e, "remove \"%s\"", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "remove \"%s\"", name);
	if (fstat(fd, &st) < 0) {
		rc = -errno;
		close(fd);
		return err_code(e, rc, "remove \"%s\"", name);
	}
	rc = remove_children(fd, st.st_dev); /* closes fd */
	if (rc < 0)
		return err_code(e, rc, "remove \"%s\"", name);
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return err_sys(e, "remove \"%s\"", name);
	return 0;
}
