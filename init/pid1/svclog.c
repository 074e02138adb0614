#include "pid1/svclog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "pid1/say.h"

enum {
	TURN_BYTES = 4096,
	WINDOW_MS = 250,
	WINDOW_BYTES = 16 * 1024,
	DRAIN_TURNS = 16, /* times TURN_BYTES: a pipe's size */
	LOUD_WINDOW_MS = 10000,
	LOUD_LINES = 12,
};

struct sink {
	struct svclog *log;
	struct buf out;
};

/* "bootcfg: warning: TEXT" is told as "config   warning: TEXT". */
static void tell_console(struct svclog *g, const char *line, size_t len)
{
	const char *text = (const char *)memchr(line, ':', len) + 2;
	int64_t now = clock_boot_ms();

	if (now - g->loud_ms >= LOUD_WINDOW_MS) {
		g->loud_ms = now;
		g->loud_lines = 0;
	}
	if (++g->loud_lines > LOUD_LINES)
		return;
	say(g->name, "%.*s%s", (int)(line + len - text), text,
	    g->loud_lines == LOUD_LINES ? " (more is in its log only)" : "");
}

static void take_line(const char *line, size_t len, void *arg)
{
	struct sink *sink = arg;

	logfile_format(&sink->out, line, len);
	if (line_is_loud(line, len))
		tell_console(sink->log, line, len);
}

/* Returns how many bytes there were, 0 when the pipe is empty. */
static int read_some(struct svclog *g)
{
	struct sink sink = { .log = g };
	char data[TURN_BYTES];
	ssize_t n = read(g->pipe[0], data, sizeof(data));

	if (n <= 0)
		return 0;
	lines_feed(&g->lines, data, (size_t)n, take_line, &sink);
	if (sink.out.len)
		logfile_write(&g->file, sink.out.data, sink.out.len);
	buf_free(&sink.out);
	return (int)n;
}

static void on_pause_over(struct loop *l, void *arg)
{
	struct svclog *g = arg;

	(void)l;
	g->pause = NULL;
	loop_fd_events(g->loop, g->source, EPOLLIN);
}

static void on_output(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct svclog *g = arg;
	int64_t now = clock_boot_ms();

	(void)fd;
	(void)events;
	if (now - g->window_ms >= WINDOW_MS) {
		g->window_ms = now;
		g->window_bytes = 0;
	}
	g->window_bytes += read_some(g);
	if (g->window_bytes < WINDOW_BYTES || g->pause)
		return;
	g->pause = loop_timer(l, g->window_ms + WINDOW_MS - now, on_pause_over, g);
	if (g->pause)
		loop_fd_events(l, g->source, 0);
}

int svclog_open(struct svclog *g, struct loop *loop, int dir, const char *name, struct err *e)
{
	*g = (struct svclog){ .loop = loop, .name = name, .pipe = { -1, -1 } };
	logfile_open(&g->file, dir, name);
	if (pipe2(g->pipe, O_CLOEXEC) < 0)
		return err_sys(e, "make the log pipe of \"%s\"", name);
	/* Our end only: a service's own write must block, that is what slows it. */
	fcntl(g->pipe[0], F_SETFL, O_NONBLOCK);
	g->source = loop_fd(loop, g->pipe[0], EPOLLIN, on_output, g);
	return g->source ? 0 : err_sys(e, "watch the log pipe of \"%s\"", name);
}

int svclog_fd(const struct svclog *g)
{
	return g->pipe[1];
}

void svclog_drain(struct svclog *g)
{
	for (int i = 0; i < DRAIN_TURNS && read_some(g) > 0; i++)
		;
}
