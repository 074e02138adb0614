#include "engine/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "yyjson.h"

enum { CHUNK = 16 * 1024, ROTATED_MOST = 1000 };

struct logfile {
	char *path;
	int fd;                 /* -1: there is no file yet */
	struct buf ahead;       /* read, not yet given out */
	size_t used;            /* of `ahead` */
	bool skipping;          /* in a line that is too long */
	yyjson_doc *doc;        /* holds the present line's texts */
};

static void name_of(const struct logfile *l, int index, char *out, size_t size)
{
	if (index)
		snprintf(out, size, "%s.%d", l->path, index);
	else
		snprintf(out, size, "%s", l->path);
}

static int open_index(const struct logfile *l, int index)
{
	char path[PATH_MAX];

	name_of(l, index, path, sizeof(path));
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Which of the names does the open file have now? -1: none any more. */
static int index_of(const struct logfile *l)
{
	struct stat mine, other;
	char path[PATH_MAX];

	if (fstat(l->fd, &mine) < 0)
		return -1;
	for (int i = 0; i < ROTATED_MOST; i++) {
		name_of(l, i, path, sizeof(path));
		if (stat(path, &other) < 0) {
			if (i > 0)
				return -1;
		} else if (mine.st_dev == other.st_dev && mine.st_ino == other.st_ino) {
			return i;
		}
	}
	return -1;
}

static int oldest_index(const struct logfile *l)
{
	char path[PATH_MAX];
	int i = 1;

	for (; i < ROTATED_MOST; i++) {
		name_of(l, i, path, sizeof(path));
		if (access(path, F_OK) < 0)
			break;
	}
	return i - 1;
}

/* How many lines does the file have; with `*wanted` fewer than that, the offset from which on it
 * has `*wanted` of them. `*wanted` is what is still missing afterwards. */
static off_t find_tail(int fd, int64_t *wanted)
{
	char chunk[CHUNK];
	off_t end = lseek(fd, 0, SEEK_END);

	/* The newline that closes the last line does not begin another. */
	for (bool last = true; end > 0;) {
		size_t want = end < CHUNK ? (size_t)end : CHUNK;
		ssize_t n = pread(fd, chunk, want, end - (off_t)want);

		if (n != (ssize_t)want)
			break;
		for (size_t i = want; i--;) {
			if (chunk[i] != '\n')
				continue;
			if (!last && --*wanted == 0)
				return end - (off_t)want + (off_t)i + 1;
			last = false;
		}
		end -= (off_t)want;
	}
	if (lseek(fd, 0, SEEK_END) > 0)
		--*wanted;
	return 0;
}

static int open_at_tail(struct logfile *l, int64_t tail)
{
	int oldest = oldest_index(l);

	if (tail == 0) {
		l->fd = open_index(l, 0);
		if (l->fd >= 0)
			lseek(l->fd, 0, SEEK_END);
		return 0;
	}
	for (int i = 0; i <= oldest; i++) {
		autoclose int fd = open_index(l, i);
		off_t at;

		if (fd < 0)
			continue;
		at = find_tail(fd, &tail);
		if (tail > 0 && i < oldest)
			continue;
		lseek(fd, at, SEEK_SET);
		l->fd = take_fd(&fd);
		return 0;
	}
	return 0;
}

int logfile_open(struct logfile **out, const char *path, int64_t tail, struct err *e)
{
	struct logfile *l = calloc(1, sizeof(*l));

	if (!l || !(l->path = strdup(path))) {
		free(l);
		return err_set(e, -ENOMEM, "out of memory");
	}
	l->fd = -1;
	if (tail < 0)
		l->fd = open_index(l, oldest_index(l));
	else
		open_at_tail(l, tail);
	*out = l;
	return 0;
}

void logfile_close(struct logfile *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	yyjson_doc_free(l->doc);
	buf_free(&l->ahead);
	free(l->path);
	free(l);
}

/* At the end of a file that is not the present one: on to the next newer. */
static bool step_forward(struct logfile *l)
{
	int index = l->fd < 0 ? 1 : index_of(l), next;

	if (index == 0)
		return false;
	next = open_index(l, index < 0 ? oldest_index(l) : index - 1);
	if (next < 0)
		return false;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = next;
	/* Half a line at the end of a closed file is what a crash left. */
	buf_reset(&l->ahead);
	l->used = 0;
	return true;
}

/* 1: there are more bytes; 0: none now; -errno */
static int read_more(struct logfile *l)
{
	char chunk[CHUNK];
	ssize_t n = 0;

	buf_consume(&l->ahead, l->used);
	l->used = 0;
	if (l->ahead.len > LOGFILE_LINE_MAX) {
		buf_reset(&l->ahead);
		l->skipping = true;
	}
	do {
		if (l->fd < 0)
			continue;
		n = read(l->fd, chunk, sizeof(chunk));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			buf_add(&l->ahead, chunk, (size_t)n);
			return buf_ok(&l->ahead) ? 1 : -ENOMEM;
		}
	} while (step_forward(l));
	return 0;
}

static bool parse(struct logfile *l, char *line, size_t len, struct log_line *out)
{
	yyjson_val *root, *text;
	const char *stream, *time;

	yyjson_doc_free(l->doc);
	l->doc = yyjson_read(line, len, 0);
	root = yyjson_doc_get_root(l->doc);
	text = yyjson_obj_get(root, "log");
	stream = yyjson_get_str(yyjson_obj_get(root, "stream"));
	time = yyjson_get_str(yyjson_obj_get(root, "time"));
	if (!yyjson_is_str(text) || !stream || !time)
		return false;
	out->text = yyjson_get_str(text);
	out->len = yyjson_get_len(text);
	out->time = time;
	out->stream = !strcmp(stream, "stderr") ? LOG_STDERR : LOG_STDOUT;
	return true;
}

int logfile_next(struct logfile *l, struct log_line *out)
{
	for (;;) {
		char *line = l->ahead.len > l->used ? l->ahead.data + l->used : NULL;
		char *end = line ? memchr(line, '\n', l->ahead.len - l->used) : NULL;
		bool skip = l->skipping;
		int rc;

		if (!end) {
			rc = read_more(l);
			if (rc <= 0)
				return rc;
			continue;
		}
		l->used += (size_t)(end - line) + 1;
		l->skipping = false;
		if (!skip && parse(l, line, (size_t)(end - line), out))
			return 1;
	}
}
