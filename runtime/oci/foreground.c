#include "oci/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/console.h"
#include "oci/notify.h"
#include "oci/sys.h"

enum { ON_SIGNAL, ON_END, ON_INPUT, ON_MASTER, ON_NOTIFY, ON_COUNT };

/* ---- begin and end ---- */

/* Faults of our own are not for the container, and its death we see by the pidfd. */
static void choose_signals(sigset_t *set)
{
	static const int ours[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };

	sigfillset(set);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		sigdelset(set, ours[i]);
}

int foreground_begin(struct foreground *f, bool terminal, struct err *e)
{
	sigset_t set;

	choose_signals(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, "block signals");
	f->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (f->signals < 0)
		return err_sys(e, "wait for signals");
	if (terminal && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->console) < 0)
		return err_sys(e, "make a socket pair");
	return 0;
}

void foreground_end(struct foreground *f)
{
	if (f->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &f->before);
	cleanup_fd(&f->signals);
	cleanup_fd(&f->console[0]);
	cleanup_fd(&f->console[1]);
	cleanup_fd(&f->master);
	*f = (struct foreground)FOREGROUND_INIT;
}

/* ---- the terminal ---- */

static void copy_size(const struct foreground *f)
{
	struct winsize size;

	if (f->master >= 0 && !ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		ioctl(f->master, TIOCSWINSZ, &size);
}

/* The caller's, if it is one: the container's does what a terminal does with keys. */
static void make_raw(struct foreground *f)
{
	struct termios t;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &f->before) < 0)
		return;
	t = f->before;
	cfmakeraw(&t);
	t.c_oflag |= OPOST;
	f->raw = !tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
}

int foreground_attach(struct foreground *f, struct err *e)
{
	struct termios t;

	if (f->console[0] < 0)
		return 0;
	f->master = console_receive(f->console[0], e);
	if (f->master < 0)
		return f->master;
	if (fcntl(f->master, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "set up the terminal");
	/* As runc: the container's lines end in LF, so that they can go to a file, and the caller's
	 * terminal makes CR LF of it. */
	if (!tcgetattr(f->master, &t)) {
		t.c_oflag &= ~(tcflag_t)ONLCR;
		tcsetattr(f->master, TCSANOW, &t);
	}
	copy_size(f);
	make_raw(f);
	return 0;
}

static void read_input(struct foreground *f)
{
	ssize_t n = read(STDIN_FILENO, f->data, sizeof(f->data));

	f->start = 0;
	f->len = n > 0 ? (size_t)n : 0;
	f->input_ended = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void write_master(struct foreground *f)
{
	ssize_t n = write(f->master, f->data + f->start, f->len);

	if (n > 0) {
		f->start += (size_t)n;
		f->len -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		f->len = 0; /* nobody reads there any more */
		f->input_ended = true;
	}
}

/* Returns whether there may be more. */
static bool read_master(struct foreground *f)
{
	char data[4096];
	ssize_t n = read(f->master, data, sizeof(data));

	if (n > 0)
		return !file_write_all(STDOUT_FILENO, data, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	cleanup_fd(&f->master); /* EIO: the last process closed the other end */
	f->master = -1;
	return false;
}

/* ---- signals ---- */

static void pass_on(const struct foreground *f, int pidfd)
{
	struct signalfd_siginfo got;

	while (read(f->signals, &got, sizeof(got)) == (ssize_t)sizeof(got)) {
		int sig = (int)got.ssi_signo;

		if (sig == SIGWINCH && f->master >= 0)
			copy_size(f);
		else if (sig != SIGCHLD && sig != SIGPIPE)
			sys_pidfd_send_signal(pidfd, sig);
	}
}

/* ---- the loop ---- */

static void set_up_poll(const struct foreground *f, struct pollfd p[ON_COUNT])
{
	bool relays = f->master >= 0;

	p[ON_INPUT].fd = relays && !f->input_ended && !f->len ? STDIN_FILENO : -1;
	p[ON_MASTER].fd = f->master;
	p[ON_MASTER].events = (short)(POLLIN | (f->len ? POLLOUT : 0));
}

static int exit_code(pid_t pid, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for the process");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int foreground_wait(struct foreground *f, pid_t pid, int pidfd, int notify, struct err *e)
{
	struct pollfd p[ON_COUNT] = {
		[ON_SIGNAL] = { .fd = f->signals, .events = POLLIN },
		[ON_END] = { .fd = pidfd, .events = POLLIN },
		[ON_INPUT] = { .fd = -1, .events = POLLIN },
		[ON_MASTER] = { .fd = -1 },
		[ON_NOTIFY] = { .fd = notify, .events = POLLIN },
	};

	while (!p[ON_END].revents) {
		set_up_poll(f, p);
		if (poll(p, ON_COUNT, -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for the process");
		if (p[ON_SIGNAL].revents)
			pass_on(f, pidfd);
		if (p[ON_INPUT].revents)
			read_input(f);
		if (p[ON_MASTER].revents & POLLOUT)
			write_master(f);
		if (p[ON_MASTER].revents & ~POLLOUT)
			read_master(f);
		if (p[ON_NOTIFY].revents && notify_pass_on(notify, pid))
			p[ON_NOTIFY].fd = -1;
	}
	/* What it wrote last. */
	while (f->master >= 0 && read_master(f))
		continue;
	return exit_code(pid, e);
}
