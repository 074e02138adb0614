/* The console program: `console TTY [shell | rescue REASON]`.
 *
 * Shows who the machine is and how to get in, again when its addresses change, and behind Enter a
 * menu (menu.h). A root shell without
 * a password is there only where the kernel command line says so (berth.console=shell: whoever sets
 * that owns the machine already) and in rescue mode. PID 1 starts one per active console and starts
 * it again when it ends: the shell takes this program's place, as a getty's login does. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "pid1/console/banner.h"
#include "pid1/console/facts.h"
#include "pid1/console/menu.h"

enum { SETTLE_MS = 1500 }; /* addresses come in twos and threes */

/* stdin, stdout and stderr become the terminal, which becomes ours. */
static int take_terminal(const char *tty)
{
	char path[64];
	int fd;

	if (getsid(0) != getpid())
		setsid();
	snprintf(path, sizeof(path), "/dev/%s", tty);
	/* O_NONBLOCK: a serial line without carrier would hold the open. */
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fcntl(fd, F_SETFL, O_RDWR) < 0)
		return -errno;
	ioctl(fd, TIOCSCTTY, 1); /* 1: take it from whoever had it */
	for (int i = 0; i < 3; i++)
		if (dup2(fd, i) < 0)
			return -errno;
	return 0;
}

/* Whoever had the line before may have left it in any state. */
static void reset_terminal(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) < 0)
		return;
	t.c_iflag = ICRNL | IXON | (t.c_iflag & IUTF8);
	t.c_oflag = OPOST | ONLCR;
	t.c_cflag |= CREAD | CLOCAL | HUPCL;
	t.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
	tcflush(STDIN_FILENO, TCIFLUSH);
}

static struct buf shown; /* the addresses in the banner that stands on the screen */

/* Lifetimes of addresses are renewed all the time; only a change is worth a new banner. */
static bool addresses_changed(void)
{
	autobuf struct buf now = { 0 };

	facts_addresses(&now);
	return strcmp(buf_text(&now), buf_text(&shown)) != 0;
}

static void show(enum banner_mode mode, const char *reason)
{
	autobuf struct buf addresses = { 0 }, summary = { 0 }, motd = { 0 }, text = { 0 };
	char hostname[65] = "", kernel[140];
	struct utsname name = { 0 };
	struct banner banner;

	uname(&name);
	gethostname(hostname, sizeof(hostname) - 1);
	snprintf(kernel, sizeof(kernel), "%s %s", name.release, name.machine);
	facts_addresses(&addresses);
	buf_reset(&shown);
	buf_adds(&shown, buf_text(&addresses));
	facts_summary(&summary);
	facts_motd(&motd);
	banner = (struct banner){
		.mode = mode,
		.reason = reason,
		.hostname = hostname,
		.kernel = kernel,
		.addresses = buf_text(&addresses),
		.summary = buf_text(&summary),
		.motd = buf_text(&motd),
	};
	banner_format(&banner, &text);
	if (write(STDOUT_FILENO, buf_text(&text), text.len) < 0)
		return;
}

static _Noreturn void become_shell(const char *tty)
{
	static const char *const argv[] = { "-sh", NULL }; /* "-": a login shell */
	const char *const envp[] = {
		"PATH=/usr/bin:/usr/lib/berth", "HOME=/root", "USER=root", "SHELL=/bin/sh",
		/* A screen has colours and cursor keys; of a serial line's far end little is known. */
		strncmp(tty, "tty", 3) || strspn(tty + 3, "0123456789") != strlen(tty + 3) ?
			"TERM=vt102" : "TERM=linux",
		NULL,
	};

	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGTSTP, SIG_DFL);
	if (chdir("/root") < 0 && chdir("/") < 0)
		log_warn("cannot change to \"/\": %s", strerror(errno));
	execve("/bin/sh", (char *const *)argv, (char *const *)envp);
	log_error("cannot start \"/bin/sh\": %s", strerror(errno));
	exit(1);
}

static void drain(int fd)
{
	char waste[4096];

	while (read(fd, waste, sizeof(waste)) > 0)
		;
}

/* Returns when somebody pressed Enter; exits when the line has hung up. */
static void wait_for_enter(enum banner_mode mode, const char *reason)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = facts_watch_addresses(), .events = POLLIN },
	};
	bool changed = false;
	char line[256];

	for (;;) {
		int n = poll(fds, ARRAY_LEN(fds), changed ? SETTLE_MS : -1);

		if (n == 0 && changed) {
			changed = false;
			if (addresses_changed())
				show(mode, reason);
		}
		if (n > 0 && fds[1].revents) {
			changed = true;
			drain(fds[1].fd);
		}
		if (n > 0 && fds[0].revents) {
			ssize_t got = read(STDIN_FILENO, line, sizeof(line));

			if (fds[0].revents & (POLLHUP | POLLERR) || (got < 0 && errno == EIO))
				exit(0);
			if (got <= 0) /* Ctrl-D */
				continue;
			if (fds[1].fd >= 0)
				close(fds[1].fd);
			return;
		}
	}
}

static enum banner_mode mode_of(const char *word)
{
	if (word && !strcmp(word, "rescue"))
		return BANNER_RESCUE;
	return word && !strcmp(word, "shell") ? BANNER_SHELL : BANNER_STATUS;
}

int main(int argc, char **argv)
{
	enum banner_mode mode = mode_of(argc > 2 ? argv[2] : NULL);
	const char *reason = argc > 3 ? argv[3] : "";
	int rc;

	log_name("console");
	if (argc < 2) {
		log_error("usage: console TTY [shell | rescue REASON]");
		return 2;
	}
	rc = take_terminal(argv[1]);
	if (rc < 0) {
		log_error("cannot open terminal \"%s\": %s", argv[1], strerror(-rc));
		return 1;
	}
	/* Here they end nothing; PID 1 would only start this again. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	reset_terminal();
	for (;;) {
		show(mode, reason);
		wait_for_enter(mode, reason);
		if (mode != BANNER_STATUS || menu_run())
			become_shell(argv[1]);
	}
}
