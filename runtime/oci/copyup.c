#include "oci/copyup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/cleanup.h"

enum { DEPTH_MAX = 128, CHUNK_BYTES = 1 << 20 };

static int copy_directory(int from, int to, int depth, struct err *e);

static int copy_data(int from, int to, const char *name)
{
	autoclose int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	autoclose int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n;

	if (in < 0 || out < 0)
		return -errno;
	while ((n = sendfile(out, in, NULL, CHUNK_BYTES)) > 0)
		;
	return n < 0 ? -errno : 0;
}

static int copy_link(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to, name) < 0 ? -errno : 0;
}

static int copy_children(int from, int to, const char *name, int depth, struct err *e)
{
	autoclose int in = openat(from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int out = -1;

	if (in < 0 || mkdirat(to, name, 0700) < 0)
		return -errno;
	out = openat(to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return out < 0 ? -errno : copy_directory(in, out, depth + 1, e);
}

static int copy_entry(int from, int to, const char *name, const struct stat *st, int depth,
		      struct err *e)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return copy_data(from, to, name);
	case S_IFDIR:
		return copy_children(from, to, name, depth, e);
	case S_IFLNK:
		return copy_link(from, to, name);
	case S_IFSOCK:
		return 0; /* nobody listens on it */
	default:
		return mknodat(to, name, st->st_mode, st->st_rdev) < 0 ? -errno : 0;
	}
}

static int copy_attributes(int to, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_directory(int from, int to, int depth, struct err *e)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return err_sys(e, "open a directory");
	if (depth > DEPTH_MAX)
		return err_set(e, -ELOOP, "directories are nested more than %d deep", DEPTH_MAX);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct stat st;
		int rc;

		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "\"%s\"", name);
		rc = copy_entry(fd, to, name, &st, depth, e);
		/* What may not be made here (a device in a user namespace) is left out. */
		if (rc == -EPERM && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			continue;
		if (!rc && !S_ISSOCK(st.st_mode))
			rc = copy_attributes(to, name, &st);
		if (rc < 0)
			return e->text[0] ? rc : err_code(e, rc, "\"%s\"", name);
	}
	return 0;
}

int copyup(int from, int to, struct err *e)
{
	struct stat st;

	if (fstat(from, &st) < 0)
		return err_sys(e, "look at the directory");
	e->text[0] = '\0';
	if (fchownat(to, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "set the owner");
	return copy_directory(from, to, 0, e);
}
