#include "pid1/say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "pid1/lines.h"
#include "pid1/logfile.h"

enum {
	PENDING_MAX_BYTES = 16 * 1024,
	EARLY_MAX_BYTES = 16 * 1024,
	RETRY_MS = 50,
};

struct tty {
	char device[16]; /* as the kernel names it */
	char name[16];   /* as those who serve people there do */
	int fd;
	struct buf pending;
};

static struct tty ttys[SAY_CONSOLES_MAX];
static int tty_count;
static struct buf early_console, early_log; /* said before there was somewhere to say it */
static struct logfile log_file = { .dir = -1, .fd = -1 };
static struct loop *loop;
static struct loop_source *retry;

/* O_NONBLOCK belongs to this open file alone: shells on the same line do not see it. */
static int open_device(const char *name)
{
	char path[sizeof(ttys[0].device) + 8];

	snprintf(path, sizeof(path), "/dev/%s", name);
	return open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

static void flush_tty(struct tty *t)
{
	bool reopened = false;

	while (t->pending.len) {
		ssize_t n = write(t->fd, t->pending.data, t->pending.len);

		/* The end of a shell on this line has hung up every open file of it, ours too. */
		if (n < 0 && errno == EIO && !reopened) {
			reopened = true;
			close(t->fd);
			t->fd = open_device(t->device);
			continue;
		}
		if (n <= 0)
			return;
		buf_consume(&t->pending, (size_t)n);
	}
}

static void on_retry(struct loop *l, void *arg)
{
	bool left = false;

	(void)arg;
	for (int i = 0; i < tty_count; i++) {
		flush_tty(&ttys[i]);
		left |= ttys[i].pending.len > 0;
	}
	retry = left ? loop_timer(l, RETRY_MS, on_retry, NULL) : NULL;
}

static void to_consoles(const char *text, size_t len)
{
	bool left = false;

	if (!tty_count && early_console.len + len < EARLY_MAX_BYTES)
		buf_add(&early_console, text, len);
	for (int i = 0; i < tty_count; i++) {
		struct tty *t = &ttys[i];

		if (t->pending.len + len <= PENDING_MAX_BYTES)
			buf_add(&t->pending, text, len);
		flush_tty(t);
		left |= t->pending.len > 0;
	}
	if (left && loop && !retry)
		retry = loop_timer(loop, RETRY_MS, on_retry, NULL);
}

static void to_log(const char *line, size_t len)
{
	autobuf struct buf out = { 0 };

	logfile_format(&out, line, len);
	if (!buf_ok(&out))
		return;
	if (log_file.dir >= 0)
		logfile_write(&log_file, out.data, out.len);
	else if (early_log.len + out.len < EARLY_MAX_BYTES)
		buf_add(&early_log, out.data, out.len);
}

static void open_tty(const char *name)
{
	struct tty *t = &ttys[tty_count];

	if (tty_count == SAY_CONSOLES_MAX || strlen(name) >= sizeof(t->name))
		return;
	t->fd = open_device(name);
	if (t->fd < 0)
		return;
	snprintf(t->device, sizeof(t->device), "%s", name);
	snprintf(t->name, sizeof(t->name), "%s", strcmp(name, "tty0") ? name : "tty1");
	tty_count++;
}

int say_open_consoles(void)
{
	autobuf struct buf active = { 0 };
	char *rest, *name;

	if (!file_read_at(AT_FDCWD, "/sys/class/tty/console/active", 1024, &active, NULL)) {
		rest = active.data;
		while (rest && (name = strsep(&rest, " \n")))
			if (*name)
				open_tty(name);
	}
	if (!tty_count)
		open_tty("console");
	to_consoles(buf_text(&early_console), early_console.len);
	buf_free(&early_console);
	return tty_count;
}

const char *say_console_name(int i)
{
	return i < tty_count ? ttys[i].name : NULL;
}

void say_open_log(int dir)
{
	logfile_open(&log_file, dir, "init");
	logfile_write(&log_file, buf_text(&early_log), early_log.len);
	buf_free(&early_log);
}

void say_attach(struct loop *l)
{
	loop = l;
}

static void say_line(const char *who, const char *text)
{
	int64_t now = clock_boot_ms();
	char printable[400], line[480];
	int len;

	line_make_printable(text, strlen(text), printable, sizeof(printable));
	len = snprintf(line, sizeof(line), "[%5lld.%03d] %-17s %s", (long long)(now / 1000),
		       (int)(now % 1000), who, printable);
	if (len < 0 || (size_t)len >= sizeof(line))
		return;
	to_log(line, (size_t)len);
	/* \r\n: a program on the console may have put it into raw mode. */
	memcpy(line + len, "\r\n", 2);
	to_consoles(line, (size_t)len + 2);
}

void say(const char *who, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say_line(who, text);
}

void say_outcome(const char *who, const char *outcome, int64_t took_ms, const char *note)
{
	say(who, "%-8s %5lld ms%s%s", outcome, (long long)took_ms, *note ? "  " : "", note);
}

void say_plain(const char *text)
{
	to_consoles(text, strlen(text));
}

void say_drain(int64_t ms)
{
	int64_t until = clock_boot_ms() + ms;

	for (;;) {
		bool left = false;

		for (int i = 0; i < tty_count; i++) {
			flush_tty(&ttys[i]);
			left |= ttys[i].pending.len > 0;
		}
		if (!left || clock_boot_ms() >= until)
			return;
		poll(NULL, 0, 10);
	}
}

void say_emergency(const char *text)
{
	bool told = false;
	int fd;

	for (int i = 0; i < tty_count; i++)
		told |= write(ttys[i].fd, text, strlen(text)) > 0;
	if (told)
		return;
	/* None open, or all hung up. */
	fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (write(fd < 0 ? STDERR_FILENO : fd, text, strlen(text)) < 0)
		return;
}
