#include "cli/hostlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/create_body.h"

enum {
	SOURCES_MOST = 64,
	KMSG_RECORD_MAX = 8192, /* the kernel never gives more at once */
	STAMP_LEN = 24,         /* "2026-11-24T20:15:00.123Z" */
	NAME_WIDTH = 10,
	CHUNK = 16 * 1024,
};

const char *hostlog_dir = "/run/berth/log";

struct source {
	char name[64];
	int fd;
	bool kernel;
	struct buf partial; /* of a file: the line whose end is not there yet */
};

struct line {
	char *text;
	const struct source *source;
	size_t order; /* lines of the same time stay as they came */
};

struct hostlog {
	const struct hostlog_options *o;
	struct source sources[SOURCES_MOST];
	size_t source_count;
	struct line *lines; /* gathered to be sorted; then `straight` */
	size_t line_count;
	bool straight; /* lines are printed as they come */
	long long booted_ns;
	int failed; /* -errno */
};

static bool is_wanted(const struct hostlog_options *o, const char *name)
{
	return !o->name || !strcmp(o->name, name);
}

/* ---- lines ---- */

static void print(const struct hostlog *h, const struct source *s, const char *text)
{
	if (h->o->name || strlen(text) <= STAMP_LEN)
		fprintf(h->o->to, "%s\n", text);
	else
		fprintf(h->o->to, "%.*s %-*s %s\n", STAMP_LEN, text, NAME_WIDTH, s->name,
			text + STAMP_LEN + 1);
}

static bool is_between(const struct hostlog_options *o, const char *text)
{
	return (!o->since || strncmp(text, o->since, strlen(o->since)) >= 0) &&
	       (!o->until || !*o->until || strncmp(text, o->until, strlen(o->until)) < 0);
}

static void take(struct hostlog *h, const struct source *s, const char *text)
{
	struct line *more;

	if (!is_between(h->o, text))
		return;
	if (h->straight) {
		print(h, s, text);
		return;
	}
	/* Room doubles, at each power of two. */
	if (!(h->line_count & (h->line_count - 1))) {
		more = realloc(h->lines, (h->line_count ? h->line_count * 2 : 1) * sizeof(*more));
		if (!more) {
			h->failed = -ENOMEM;
			return;
		}
		h->lines = more;
	}
	h->lines[h->line_count] = (struct line){ strdup(text), s, h->line_count };
	if (h->lines[h->line_count].text)
		h->line_count++;
	else
		h->failed = -ENOMEM;
}

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = strncmp(x->text, y->text, STAMP_LEN);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void print_gathered(struct hostlog *h)
{
	size_t first = 0;

	if (h->line_count)
		qsort(h->lines, h->line_count, sizeof(*h->lines), by_time);
	if (h->o->tail >= 0 && (size_t)h->o->tail < h->line_count)
		first = h->line_count - (size_t)h->o->tail;
	for (size_t i = 0; i < h->line_count; i++) {
		if (i >= first)
			print(h, h->lines[i].source, h->lines[i].text);
		free(h->lines[i].text);
	}
	free(h->lines);
	h->lines = NULL;
	h->line_count = 0;
}

/* ---- the kernel ---- */

bool hostlog_kernel_line(const char *record, long long booted_ns, struct buf *out)
{
	/* PRIORITY,NUMBER,MICROSECONDS,FLAGS[,...];TEXT\n, then lines of details. */
	const char *text = strchr(record, ';'), *p = strchr(record, ',');
	char stamp[CLOCK_RFC3339_MAX];

	p = p ? strchr(p + 1, ',') : NULL;
	if (!text || !p || p > text)
		return false;
	clock_rfc3339(booted_ns + strtoll(p + 1, NULL, 10) * 1000, stamp);
	buf_add(out, stamp, STAMP_LEN - 1);
	buf_adds(out, "Z ");
	buf_add(out, text + 1, strcspn(text + 1, "\n"));
	return true;
}

static void read_kernel(struct hostlog *h, struct source *s)
{
	char record[KMSG_RECORD_MAX + 1];

	for (;;) {
		autobuf struct buf text = { 0 };
		ssize_t n = read(s->fd, record, KMSG_RECORD_MAX);

		if (n < 0 && errno == EPIPE) /* records were lost while nobody read */
			continue;
		if (n < 0 && errno != EAGAIN)
			h->failed = -errno;
		if (n <= 0)
			return;
		record[n] = '\0';
		if (hostlog_kernel_line(record, h->booted_ns, &text))
			take(h, s, buf_text(&text));
	}
}

/* ---- services ---- */

static void read_open_file(struct hostlog *h, struct source *s, int fd)
{
	char chunk[CHUNK];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		char *line, *end;
		size_t used = 0;

		buf_add(&s->partial, chunk, (size_t)n);
		if (!buf_ok(&s->partial)) {
			h->failed = -ENOMEM;
			return;
		}
		while ((end = memchr(line = s->partial.data + used, '\n', s->partial.len - used))) {
			*end = '\0';
			take(h, s, line);
			used = (size_t)(end + 1 - s->partial.data);
		}
		buf_consume(&s->partial, used);
	}
	if (n < 0)
		h->failed = -errno;
}

static int open_log(const char *name, const char *suffix)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.log%s", hostlog_dir, name, suffix);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* What came since it was read last; a file that has been put aside is finished first. */
static void read_file(struct hostlog *h, struct source *s)
{
	struct stat ours = { 0 }, now = { 0 };
	int fd;

	read_open_file(h, s, s->fd);
	fd = open_log(s->name, "");
	if (fd < 0)
		return;
	if (!fstat(s->fd, &ours) && !fstat(fd, &now) && ours.st_ino == now.st_ino) {
		close(fd);
		return;
	}
	read_open_file(h, s, s->fd);
	close(s->fd);
	s->fd = fd;
	read_open_file(h, s, s->fd);
}

/* ---- the sources ---- */

static struct source *add_source(struct hostlog *h, const char *name, int fd)
{
	struct source *s = &h->sources[h->source_count];

	if (fd < 0)
		return NULL;
	if (h->source_count == SOURCES_MOST) {
		close(fd);
		return NULL;
	}
	*s = (struct source){ .fd = fd };
	snprintf(s->name, sizeof(s->name), "%s", name);
	h->source_count++;
	return s;
}

static void add_service(struct hostlog *h, const char *name)
{
	autoclose int old = -1;
	struct source *s;

	for (size_t i = 0; i < h->source_count; i++)
		if (!strcmp(h->sources[i].name, name))
			return;
	s = add_source(h, name, open_log(name, ""));
	if (!s)
		return;
	old = open_log(name, ".1");
	if (old >= 0)
		read_open_file(h, s, old);
	read_file(h, s);
}

static void scan(struct hostlog *h)
{
	autodir DIR *d = opendir(hostlog_dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len <= 4 || len - 4 >= sizeof(h->sources[0].name) ||
		    strcmp(entry->d_name + len - 4, ".log") != 0)
			continue;
		entry->d_name[len - 4] = '\0';
		if (is_wanted(h->o, entry->d_name))
			add_service(h, entry->d_name);
	}
}

static void add_kernel(struct hostlog *h)
{
	struct source *s;
	int fd;

	if (!is_wanted(h->o, "kernel"))
		return;
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && h->o->name)
		h->failed = -errno;
	s = add_source(h, "kernel", fd);
	if (!s)
		return;
	s->kernel = true;
	read_kernel(h, s);
}

/* The kernel's log is asked for anew; a change in the directory concerns any of the files. */
static int follow(struct hostlog *h)
{
	autoclose int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd fds[] = { { .fd = changes, .events = POLLIN },
				{ .fd = -1, .events = POLLIN },
				{ .fd = fileno(h->o->to) } };
	char events[4096];

	if (inotify_add_watch(changes, hostlog_dir, IN_MODIFY | IN_CREATE | IN_MOVED_FROM) < 0)
		return -errno;
	for (size_t i = 0; i < h->source_count; i++)
		if (h->sources[i].kernel)
			fds[1].fd = h->sources[i].fd;
	for (;;) {
		scan(h);
		for (size_t i = 0; i < h->source_count; i++)
			(h->sources[i].kernel ? read_kernel : read_file)(h, &h->sources[i]);
		if (h->failed || fflush(h->o->to) == EOF)
			return h->failed;
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			return -errno;
		if (fds[2].revents) /* the reader is gone */
			return 0;
		while (read(changes, events, sizeof(events)) > 0)
			;
	}
}

/* ---- */

int hostlog_time(const char *text, char out[HOSTLOG_TIME_MAX], struct err *e)
{
	size_t len = strspn(text, "0123456789-T:.");
	char at[CLOCK_RFC3339_MAX], *end;
	int64_t ns;
	double seconds = strtod(text, &end);

	if (create_duration(text, &ns) == 0)
		clock_rfc3339(clock_wall_ns() - ns, at);
	else if (*text >= '0' && *text <= '9' && !*end && seconds < 1e10)
		clock_rfc3339((int64_t)(seconds * 1000) * 1000000, at);
	else if (len >= 4 && len < sizeof(at) && !strcmp(text + len, text[len] == 'Z' ? "Z" : ""))
		snprintf(at, sizeof(at), "%.*s", (int)len, text);
	else
		return err_set(e, -EINVAL, "\"%s\" is no time: expected one such as 10m or "
			       "2026-11-24T20:15:00Z", text);
	snprintf(out, HOSTLOG_TIME_MAX, "%.*s", (int)strcspn(at, "Z"), at);
	return 0;
}

bool hostlog_exists(const char *name)
{
	autoclose int fd = -1;

	if (!strcmp(name, "kernel"))
		return true;
	if (!*name || *name == '.' || strchr(name, '/'))
		return false;
	fd = open_log(name, "");
	return fd >= 0;
}

int hostlog_show(const struct hostlog_options *o, struct err *e)
{
	struct hostlog h = { .o = o, .booted_ns = clock_wall_ns() - clock_boot_ms() * 1000000 };
	int rc = 0;

	if (o->name && !hostlog_exists(o->name))
		return err_set(e, -ESRCH, "no service \"%s\" has a log; \"berth services\" lists them, and "
			       "\"kernel\" is the kernel's", o->name);
	scan(&h);
	add_kernel(&h);
	print_gathered(&h);
	h.straight = true;
	if (o->follow)
		rc = follow(&h);
	for (size_t i = 0; i < h.source_count; i++) {
		close(h.sources[i].fd);
		buf_free(&h.sources[i].partial);
	}
	rc = rc < 0 ? rc : h.failed;
	return rc < 0 ? err_code(e, rc, "read the machine's logs") : 0;
}
