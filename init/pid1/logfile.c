#include "pid1/logfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static void open_current(struct logfile *f, int flags)
{
	struct stat st;

	f->fd = openat(f->dir, f->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags,
		       0640);
	f->bytes = f->fd >= 0 && !fstat(f->fd, &st) ? (size_t)st.st_size : 0;
}

void logfile_open(struct logfile *f, int dir, const char *name)
{
	f->dir = dir;
	snprintf(f->name, sizeof(f->name), "%s.log", name);
	open_current(f, 0);
}

void logfile_close(struct logfile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

void logfile_format(struct buf *out, const char *line, size_t len)
{
	char stamp[CLOCK_RFC3339_MAX];

	clock_rfc3339(clock_wall_ns(), stamp);
	/* "2026-11-23T23:15:00.123" of "2026-11-23T23:15:00.123456789Z": nobody reads the rest. */
	buf_add(out, stamp, 23);
	buf_adds(out, "Z ");
	buf_add(out, line, len);
	buf_addc(out, '\n');
}

static void rotate(struct logfile *f)
{
	char old[sizeof(f->name) + 2];

	snprintf(old, sizeof(old), "%s.1", f->name);
	logfile_close(f);
	renameat(f->dir, f->name, f->dir, old);
	/* O_TRUNC: the bound holds even when the rename failed. */
	open_current(f, O_TRUNC);
}

void logfile_write(struct logfile *f, const char *data, size_t len)
{
	if (f->bytes && f->bytes + len > LOGFILE_MAX_BYTES)
		rotate(f);
	if (f->fd < 0)
		open_current(f, 0);
	if (f->fd >= 0 && !file_write_all(f->fd, data, len))
		f->bytes += len;
}
