#include "cli/stream.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cli/cli.h"

/* Docker Engine API, "Stream format": 1 byte stream, 3 zero, 4 length (big endian), payload. */
ssize_t stream_unframe(struct buf *in)
{
	while (in->len >= 8) {
		const unsigned char *head = (const unsigned char *)in->data;
		size_t len = (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
		int rc;

		if (head[0] > 2 || len > 64 * 1024 * 1024)
			return -EPROTO;
		if (in->len < 8 + len)
			return 0;
		rc = file_write_all(head[0] == 2 ? STDERR_FILENO : STDOUT_FILENO, in->data + 8, len);
		if (rc < 0)
			return rc;
		buf_consume(in, 8 + len);
	}
	return 0;
}

/* ---- detach keys ---- */

static int parse_key(const char *word, size_t len, char *out)
{
	static const char ctrl[] = "ctrl-";

	if (len == 1) {
		*out = *word;
		return 0;
	}
	if (len != sizeof(ctrl) || strncmp(word, ctrl, sizeof(ctrl) - 1))
		return -EINVAL;
	word += sizeof(ctrl) - 1;
	*out = (char)(*word & 0x1f);
	return (*word >= '@' && *word <= '_') || (*word >= 'a' && *word <= 'z') ? 0 : -EINVAL;
}

int stream_keys_parse(const char *text, struct stream_keys *out, struct err *e)
{
	struct stream_keys keys = { .count = 0 };

	for (const char *word = text; *word;) {
		size_t len = strcspn(word, ",");

		if (keys.count == STREAM_KEYS_MOST ||
		    parse_key(word, len, &keys.bytes[keys.count++]) < 0)
			return err_set(e, -EINVAL, "--detach-keys \"%s\": expected keys such as "
				       "ctrl-p,ctrl-q", text);
		word += len + (word[len] == ',');
	}
	*out = keys;
	return 0;
}

bool stream_keys_filter(struct stream_keys *keys, const char *data, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (keys->count && data[i] == keys->bytes[keys->matched]) {
			if (++keys->matched == keys->count)
				return true;
			continue;
		}
		/* They were not meant: what was held back goes first. */
		buf_add(out, keys->bytes, keys->matched);
		keys->matched = 0;
		if (keys->count && data[i] == keys->bytes[0])
			keys->matched = 1;
		else
			buf_addc(out, data[i]);
	}
	return false;
}

/* ---- signals and the terminal ---- */

static const struct {
	int number;
	const char *name;
} proxied[] = {
	{ SIGHUP, "HUP" }, { SIGINT, "INT" }, { SIGQUIT, "QUIT" }, { SIGTERM, "TERM" },
	{ SIGUSR1, "USR1" }, { SIGUSR2, "USR2" },
};

static int open_signals(const struct stream *s)
{
	sigset_t set;

	sigemptyset(&set);
	if (s->tty)
		sigaddset(&set, SIGWINCH);
	for (size_t i = 0; s->kill && i < ARRAY_LEN(proxied); i++)
		sigaddset(&set, proxied[i].number);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void post(const char *target)
{
	autobuf struct buf body = { 0 };

	/* The container may have ended meanwhile: nothing to tell anybody. */
	http_call(cli_host(), "POST", target, NULL, &body, NULL);
}

static void send_size(const struct stream *s)
{
	autobuf struct buf target = { 0 };
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	buf_addf(&target, "%s?h=%u&w=%u", s->resize, size.ws_row, size.ws_col);
	post(buf_text(&target));
}

static void on_signal(const struct stream *s, int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		send_size(s);
	for (size_t i = 0; i < ARRAY_LEN(proxied); i++) {
		autobuf struct buf target = { 0 };

		if ((int)info.ssi_signo != proxied[i].number)
			continue;
		buf_addf(&target, "%s%s", s->kill, proxied[i].name);
		post(buf_text(&target));
	}
}

static bool make_raw(struct termios *before)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, before) < 0)
		return false;
	raw = *before;
	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

/* ---- the bytes ---- */

struct flow {
	struct stream *stream;
	struct buf out;      /* on its way to the container */
	struct buf frames;   /* from it, not whole */
	bool in_over;        /* our stdin has ended */
	bool closed;         /* and the container was told */
};

/* 1: the keys were typed. */
static int take_input(struct flow *f)
{
	char data[16 * 1024];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n <= 0) {
		f->in_over = n == 0 || errno != EINTR;
		return 0;
	}
	if (f->stream->tty)
		return stream_keys_filter(&f->stream->keys, data, (size_t)n, &f->out);
	buf_add(&f->out, data, (size_t)n);
	return 0;
}

/* Never blocks: the container may not read before somebody reads what it writes. */
static void give_input(struct flow *f)
{
	ssize_t n = f->out.len ? send(f->stream->http->fd, f->out.data, f->out.len,
				      MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

	if (n > 0)
		buf_consume(&f->out, (size_t)n);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		buf_free(&f->out);
		f->in_over = true;
	}
	if (f->in_over && !f->closed && !f->out.len) {
		shutdown(f->stream->http->fd, SHUT_WR);
		f->closed = true;
	}
}

static ssize_t show(struct flow *f, const char *data, size_t len)
{
	if (f->stream->tty)
		return file_write_all(STDOUT_FILENO, data, len);
	buf_add(&f->frames, data, len);
	return buf_ok(&f->frames) ? stream_unframe(&f->frames) : -ENOMEM;
}

/* 0: the end; 1: go on; -errno. */
static ssize_t take_output(struct flow *f)
{
	char data[16 * 1024];
	ssize_t n = read(f->stream->http->fd, data, sizeof(data)), rc;

	if (n < 0)
		return errno == EINTR ? 1 : errno == ECONNRESET ? 0 : -errno;
	rc = n ? show(f, data, (size_t)n) : 0;
	return rc < 0 ? rc : n > 0;
}

static int copy(struct flow *f, int signals)
{
	struct stream *s = f->stream;
	ssize_t rc = show(f, s->http->raw.data, s->http->raw.len);

	while (rc >= 0) {
		struct pollfd fds[] = {
			{ .fd = s->http->fd, .events = (short)(POLLIN | (f->out.len ? POLLOUT : 0)) },
			{ .fd = f->in_over || f->out.len ? -1 : STDIN_FILENO, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
		};

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[2].revents)
			on_signal(s, signals);
		if (fds[1].revents && take_input(f))
			return STREAM_DETACHED;
		give_input(f);
		if (!(fds[0].revents & (POLLIN | POLLHUP | POLLERR)))
			continue;
		rc = take_output(f);
		if (rc == 0)
			return STREAM_ENDED;
	}
	return (int)rc;
}

int stream_run(struct stream *s, struct err *e)
{
	struct flow f = { .stream = s, .in_over = !s->in, .closed = !s->in };
	autoclose int signals = open_signals(s);
	struct termios before;
	bool raw = s->tty && s->in && make_raw(&before);
	int rc;

	if (s->tty)
		send_size(s);
	rc = copy(&f, signals);
	if (raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	buf_free(&f.out);
	buf_free(&f.frames);
	return rc < 0 ? err_code(e, rc, "the container's streams") : rc;
}
