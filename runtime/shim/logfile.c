#include "shim/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "shim/syslog.h"

enum { NAME_ROOM = 256, KEEP_BYTES = 8192 };

struct logfile {
	int dir, fd;               /* fd -1: could not be opened again after a rotation */
	char name[NAME_ROOM];
	uint64_t size_bytes, max_bytes;
	unsigned int max_files;
	struct buf pending;
	unsigned int pending_lines;
	uint64_t lost_lines;
	int lost_why;              /* errno of the first loss */
	struct syslog *syslog;     /* instead of all of the above; NULL */
};

static const char *const stream_names[] = { [LOG_STDOUT] = "stdout", [LOG_STDERR] = "stderr" };

static int open_current(struct logfile *l)
{
	struct stat st;

	l->fd = openat(l->dir, l->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (l->fd < 0)
		return -errno;
	l->size_bytes = fstat(l->fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
	return 0;
}

int logfile_open(struct logfile **out, const char *path, uint64_t max_bytes, unsigned int max_files,
		 struct err *e)
{
	struct logfile *l = calloc(1, sizeof(*l));
	const char *slash = strrchr(path, '/');
	autofree char *parent = strndup(path, slash > path ? (size_t)(slash - path) : 1);
	int rc;

	if (!l || !parent) {
		free(l);
		return err_set(e, -ENOMEM, "log: out of memory");
	}
	l->fd = -1;
	l->max_bytes = max_bytes;
	l->max_files = max_files ? max_files : 1;
	snprintf(l->name, sizeof(l->name), "%s", slash ? slash + 1 : path);
	l->dir = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = l->dir < 0 ? -errno : open_current(l);
	/* A full disk is no reason to keep a container from running. */
	if (rc == -ENOSPC || rc == -EDQUOT)
		rc = 0;
	if (rc < 0) {
		logfile_close(l);
		return err_code(e, rc, "open log \"%s\"", path);
	}
	*out = l;
	return 0;
}

struct logfile *logfile_of_syslog(struct syslog *s)
{
	struct logfile *l = calloc(1, sizeof(*l));

	if (l) {
		l->dir = l->fd = -1;
		l->syslog = s;
	}
	return l;
}

void logfile_close(struct logfile *l)
{
	if (!l)
		return;
	syslog_close(l->syslog);
	logfile_flush(l);
	cleanup_fd(&l->fd);
	cleanup_fd(&l->dir);
	buf_free(&l->pending);
	free(l);
}

/* Only renames and one new file: works on a full disk, where a copy would not. */
static void rotate(struct logfile *l)
{
	char from[NAME_ROOM + 16], to[NAME_ROOM + 16];

	for (unsigned int i = l->max_files - 1; i > 0; i--) {
		snprintf(to, sizeof(to), "%s.%u", l->name, i);
		snprintf(from, sizeof(from), i > 1 ? "%s.%u" : "%s", l->name, i - 1);
		renameat(l->dir, from, l->dir, to);
	}
	if (l->max_files == 1)
		unlinkat(l->dir, l->name, 0);
	cleanup_fd(&l->fd);
	l->fd = -1;
	open_current(l);
}

/* All of it or nothing: half a line would spoil the next one as well. 0 or -errno. */
static int append(struct logfile *l, const char *data, size_t len)
{
	int rc;

	if (l->fd < 0 && (rc = open_current(l)) < 0)
		return rc;
	rc = file_write_all(l->fd, data, len);
	if (rc < 0 && ftruncate(l->fd, (off_t)l->size_bytes) < 0) {
		struct stat st;

		/* Then at least the next line begins on a line of its own. */
		if (!fstat(l->fd, &st))
			l->size_bytes = (uint64_t)st.st_size;
	}
	if (!rc)
		l->size_bytes += len;
	return rc;
}

static void add_line(struct buf *b, enum log_stream stream, const char *text, size_t len)
{
	char now[CLOCK_RFC3339_MAX];

	buf_adds(b, "{\"log\":");
	buf_add_json_string(b, text, len);
	buf_addf(b, ",\"stream\":\"%s\",\"time\":\"%s\"}\n", stream_names[stream],
		 clock_rfc3339(clock_wall_ns(), now));
}

void logfile_add(struct logfile *l, enum log_stream stream, const char *text, size_t len)
{
	enum { FRAME_BYTES = 80 }; /* what JSON puts around the text */

	if (l->syslog) {
		syslog_send(l->syslog, stream, text, len);
		return;
	}
	/* Many short lines in one read must not grow the file far over its size. */
	if (l->size_bytes + l->pending.len + len + FRAME_BYTES > l->max_bytes)
		logfile_flush(l);
	add_line(&l->pending, stream, text, len);
	l->pending_lines++;
}

static void note_loss(struct logfile *l)
{
	autobuf struct buf line = { 0 };
	char text[160];
	int n = snprintf(text, sizeof(text), "berth: %" PRIu64 " line%s of output not logged: %s\n",
			 l->lost_lines, l->lost_lines == 1 ? "" : "s", strerror(l->lost_why));

	add_line(&line, LOG_STDERR, text, (size_t)n);
	if (buf_ok(&line) && append(l, line.data, line.len) == 0)
		l->lost_lines = 0;
}

void logfile_flush(struct logfile *l)
{
	int rc = l->pending.failed ? -ENOMEM : 0;

	if (!l->pending_lines)
		return;
	if (l->size_bytes && l->size_bytes + l->pending.len > l->max_bytes)
		rotate(l);
	if (!rc && l->lost_lines)
		note_loss(l);
	if (!rc)
		rc = l->lost_lines ? -l->lost_why : append(l, l->pending.data, l->pending.len);
	if (rc < 0 && !l->lost_lines)
		l->lost_why = -rc;
	if (rc < 0)
		l->lost_lines += l->pending_lines;
	l->pending_lines = 0;
	/* One burst of binary output must not stay in memory for the container's whole life. */
	if (l->pending.failed || l->pending.room > KEEP_BYTES)
		buf_free(&l->pending);
	else
		buf_reset(&l->pending);
}
