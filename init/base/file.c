#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int file_read_fd(int fd, size_t max_bytes, struct buf *out, struct err *e)
{
	char chunk[4096];
	size_t total = 0;

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			break;
		total += (size_t)n;
		if (total > max_bytes)
			return err_set(e, -EFBIG, "larger than %zu bytes", max_bytes);
		buf_add(out, chunk, (size_t)n);
	}
	return buf_ok(out) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

int file_read_at(int dir, const char *path, size_t max_bytes, struct buf *out, struct err *e)
{
	/* O_NONBLOCK: a FIFO in place of the file must not hang the reader. */
	autoclose int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return err_sys(e, "open \"%s\"", path);
	rc = file_read_fd(fd, max_bytes, out, e);
	if (rc < 0)
		err_prefix(e, "\"%s\"", path);
	return rc;
}

int file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_temporary(int dir, const char *temporary, const void *data, size_t len,
			   mode_t mode)
{
	autoclose int fd =
		openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	int rc;

	if (fd < 0)
		return -errno;
	/* The umask had its say at open, and an old temporary keeps its old mode. */
	if (fchmod(fd, mode) < 0)
		return -errno;
	rc = file_write_all(fd, data, len);
	if (!rc && fsync(fd) < 0)
		rc = -errno;
	return rc;
}

static int sync_parent(int dir, const char *path)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	autoclose int fd = -1;

	if (!slash)
		snprintf(parent, sizeof(parent), ".");
	else
		snprintf(parent, sizeof(parent), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	fd = openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int file_replace_at(int dir, const char *path, const void *data, size_t len, mode_t mode,
		    struct err *e)
{
	char temporary[PATH_MAX];
	int rc;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >= sizeof(temporary))
		return err_set(e, -ENAMETOOLONG, "write \"%s\": name too long", path);
	rc = write_temporary(dir, temporary, data, len, mode);
	if (!rc && renameat(dir, temporary, dir, path) < 0)
		rc = -errno;
	if (rc < 0) {
		unlinkat(dir, temporary, 0);
		return err_code(e, rc, "write \"%s\"", path);
	}
	rc = sync_parent(dir, path);
	return rc < 0 ? err_code(e, rc, "write \"%s\"", path) : 0;
}

int file_put_at(int dir, const char *path, const char *text, struct err *e)
{
	autoclose int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	size_t len = strlen(text);

	if (fd < 0)
		return err_sys(e, "open \"%s\"", path);
	if (write(fd, text, len) != (ssize_t)len)
		return err_sys(e, "write \"%s\" to \"%s\"", text, path);
	return 0;
}
