/* `docker system dial-stdio`: what a docker CLI elsewhere runs over SSH, once per connection. Bytes
 * go both ways between stdin and stdout and the engine's socket; the end of one direction is
 * passed on and leaves the other alone. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/df.h"
#include "cli/http.h"
#include "cli/things.h"

/* A pipe that is writable takes this much without blocking. */
enum { AT_ONCE = 4096, ROOM = 64 * 1024 };

struct way {
	int from, to;
	size_t begin, end;   /* what was read and not written */
	bool over;
	char data[ROOM];
};

static int take(struct way *w)
{
	ssize_t n = read(w->from, w->data, sizeof(w->data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return -errno;
	w->begin = 0;
	w->end = (size_t)n;
	w->over = n == 0;
	return 0;
}

static int give(struct way *w)
{
	size_t len = w->end - w->begin;
	ssize_t n = send(w->to, w->data + w->begin, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(w->to, w->data + w->begin, len < AT_ONCE ? len : AT_ONCE);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	w->begin += (size_t)n;
	return 0;
}

static struct pollfd want(const struct way *w)
{
	if (w->begin < w->end)
		return (struct pollfd){ .fd = w->to, .events = POLLOUT };
	return (struct pollfd){ .fd = w->over ? -1 : w->from, .events = POLLIN };
}

static int move(struct way *w)
{
	int rc = w->begin < w->end ? give(w) : take(w);

	if (w->over)
		shutdown(w->to, SHUT_WR);
	return rc;
}

/* Until the engine has closed its side and all of that is written. */
static int copy(struct way *in, struct way *out)
{
	while (!out->over) {
		struct pollfd fds[2] = { want(in), want(out) };
		int rc = 0;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		/* The engine may have no ear any more for what comes in: its answer still counts. */
		if (fds[0].revents && move(in) < 0)
			in->over = true, in->begin = in->end;
		if (fds[1].revents)
			rc = move(out);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int dial(void)
{
	/* Static: two buffers of 64 KiB are much for a stack. */
	static struct way in, out;
	struct err e = { 0 };
	autoclose int fd = http_connect(cli_host(), &e);
	int rc;

	if (fd < 0)
		return cli_fail(&e);
	in.from = STDIN_FILENO;
	in.to = out.from = fd;
	out.to = STDOUT_FILENO;
	rc = copy(&in, &out);
	if (rc < 0) {
		err_code(&e, rc, "dial-stdio");
		return cli_fail(&e);
	}
	return EXIT_OK;
}

static int run_dial(const struct cli_command *self, int argc, char **argv)
{
	int code;

	return cli_options(self, NULL, 0, argc, argv, argv, &code) < 0 ? code : dial();
}

static const struct cli_command commands[] = {
	{ "dial-stdio", "", "Connect stdin and stdout to the engine (for DOCKER_HOST=ssh://)", 0, 0,
	  run_dial },
	{ "df", "[OPTIONS]", "Show what takes room", 0, 0, run_system_df },
	{ "events", "[OPTIONS]", "Show what happens", 0, 0, cmd_events },
	{ "prune", "[OPTIONS]", "Remove what nobody uses", 0, 0, run_system_prune },
};

int cmd_system(const struct cli_command *self, int argc, char **argv)
{
	return things_command(self, commands, ARRAY_LEN(commands), argc, argv);
}
