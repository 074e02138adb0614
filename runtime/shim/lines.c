#include "shim/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void add(struct lines *l, struct logfile *log, const char *text, size_t len)
{
	if (log && len)
		logfile_add(log, l->stream, text, len);
}

static void cut(struct lines *l, struct logfile *log)
{
	char *begin = l->text, *end = l->text + l->len, *newline;

	while (begin < end && (newline = memchr(begin, '\n', (size_t)(end - begin)))) {
		add(l, log, begin, (size_t)(newline + 1 - begin));
		begin = newline + 1;
	}
	l->len = (size_t)(end - begin);
	if (begin == l->text && l->len == sizeof(l->text)) {
		add(l, log, l->text, l->len);
		l->len = 0;
	}
	if (begin != l->text && l->len)
		memmove(l->text, begin, l->len);
}

ssize_t lines_read(struct lines *l, int fd, struct logfile *log)
{
	ssize_t n;

	do
		n = read(fd, l->text + l->len, sizeof(l->text) - l->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (l->tap && n)
		l->tap(l->tap_arg, l->stream, l->text + l->len, (size_t)n);
	l->len += (size_t)n;
	cut(l, log);
	if (log)
		logfile_flush(log);
	return n;
}

void lines_end(struct lines *l, struct logfile *log)
{
	add(l, log, l->text, l->len);
	l->len = 0;
	if (log)
		logfile_flush(log);
}
