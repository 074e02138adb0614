#include "oci/foreground.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/console.h"
#include "oci/notify.h"
#include "oci/sys.h"

enum { ON_SIGNAL, ON_END, ON_INPUT, ON_MASTER, ON_NOTIFY, ON_COUNT };

/* What of the caller's terminal is changed while it is relayed. */
struct relay {
	int master; /* of the container's terminal; -1: none */
	bool raw;   /* `before` is to be put back */
	struct termios before;
	bool input_ended;
	char data[4096]; /* from the caller, not yet taken by the container's terminal */
	size_t start, len;
};

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
	cleanup_fd(&f->signals);
	cleanup_fd(&f->console[0]);
	cleanup_fd(&f->console[1]);
}

/* ---- the terminal ---- */

static void copy_size(const struct relay *r)
{
	struct winsize size;

	if (r->master >= 0 && !ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		ioctl(r->master, TIOCSWINSZ, &size);
}

static void put_back(struct relay *r)
{
	if (r->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &r->before);
	cleanup_fd(&r->master);
}

#define autorelay __attribute__((cleanup(put_back)))

static int open_relay(struct foreground *f, struct relay *r, struct err *e)
{
	struct termios t;

	r->master = console_receive(f->console[0], e);
	if (r->master < 0)
		return r->master;
	if (fcntl(r->master, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "set up the terminal");
	/* As runc: the container's lines end in LF, so that they can go to a file, and the caller's
	 * terminal makes CR LF of it. */
	if (!tcgetattr(r->master, &t)) {
		t.c_oflag &= ~(tcflag_t)ONLCR;
		tcsetattr(r->master, TCSANOW, &t);
	}
	copy_size(r);
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &r->before) < 0)
		return 0;
	t = r->before;
	cfmakeraw(&t);
	t.c_oflag |= OPOST;
	r->raw = !tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
	return 0;
}

static void read_input(struct relay *r)
{
	ssize_t n = read(STDIN_FILENO, r->data, sizeof(r->data));

	r->start = 0;
	r->len = n > 0 ? (size_t)n : 0;
	r->input_ended = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void write_master(struct relay *r)
{
	ssize_t n = write(r->master, r->data + r->start, r->len);

	if (n > 0) {
		r->start += (size_t)n;
		r->len -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		r->len = 0; /* nobody reads there any more */
		r->input_ended = true;
	}
}

/* Returns whether there may be more. */
static bool read_master(struct relay *r)
{
	char data[4096];
	ssize_t n = read(r->master, data, sizeof(data));

	if (n > 0)
		return !file_write_all(STDOUT_FILENO, data, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	cleanup_fd(&r->master); /* EIO: the last process closed the other end */
	r->master = -1;
	return false;
}

/* ---- signals ---- */

static void pass_on(const struct foreground *f, const struct relay *r, int pidfd)
{
	struct signalfd_siginfo got;

	while (read(f->signals, &got, sizeof(got)) == (ssize_t)sizeof(got)) {
		int sig = (int)got.ssi_signo;

		if (sig == SIGWINCH && r->master >= 0)
			copy_size(r);
		else if (sig != SIGCHLD && sig != SIGPIPE)
			sys_pidfd_send_signal(pidfd, sig);
	}
}

/* ---- the loop ---- */

static void set_up_poll(const struct relay *r, struct pollfd p[ON_COUNT])
{
	bool relays = r->master >= 0;

	p[ON_INPUT].fd = relays && !r->input_ended && !r->len ? STDIN_FILENO : -1;
	p[ON_MASTER].fd = r->master;
	p[ON_MASTER].events = (short)(POLLIN | (r->len ? POLLOUT : 0));
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
	autorelay struct relay r = { .master = -1 };
	struct pollfd p[ON_COUNT] = {
		[ON_SIGNAL] = { .fd = f->signals, .events = POLLIN },
		[ON_END] = { .fd = pidfd, .events = POLLIN },
		[ON_INPUT] = { .fd = -1, .events = POLLIN },
		[ON_MASTER] = { .fd = -1 },
		[ON_NOTIFY] = { .fd = notify, .events = POLLIN },
	};
	int rc = f->console[0] >= 0 ? open_relay(f, &r, e) : 0;

	while (!rc && !(p[ON_END].revents)) {
		set_up_poll(&r, p);
		if (poll(p, ON_COUNT, -1) < 0)
			rc = errno == EINTR ? 0 : err_sys(e, "wait for the process");
		if (p[ON_SIGNAL].revents)
			pass_on(f, &r, pidfd);
		if (p[ON_INPUT].revents)
			read_input(&r);
		if (p[ON_MASTER].revents & POLLOUT)
			write_master(&r);
		if (p[ON_MASTER].revents & ~POLLOUT)
			read_master(&r);
		if (p[ON_NOTIFY].revents && notify_pass_on(notify, pid))
			p[ON_NOTIFY].fd = -1;
	}
	/* What it wrote last. */
	while (!rc && r.master >= 0 && read_master(&r))
		continue;
	return rc < 0 ? rc : exit_code(pid, e);
}
