#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "oci/args.h"
#include "oci/cgroup.h"
#include "oci/commands.h"
#include "oci/state.h"
#include "oci/sys.h"

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "ABRT", SIGABRT }, { "ALRM", SIGALRM },     { "BUS", SIGBUS },   { "CHLD", SIGCHLD },
	{ "CONT", SIGCONT }, { "FPE", SIGFPE },	      { "HUP", SIGHUP },   { "ILL", SIGILL },
	{ "INT", SIGINT },   { "IO", SIGIO },	      { "KILL", SIGKILL }, { "PIPE", SIGPIPE },
	{ "PROF", SIGPROF }, { "PWR", SIGPWR },	      { "QUIT", SIGQUIT }, { "SEGV", SIGSEGV },
	{ "STOP", SIGSTOP }, { "SYS", SIGSYS },	      { "TERM", SIGTERM }, { "TRAP", SIGTRAP },
	{ "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },     { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },     { "VTALRM", SIGVTALRM },
	{ "WINCH", SIGWINCH }, { "XCPU", SIGXCPU },   { "XFSZ", SIGXFSZ },
};

/* "9", "KILL", "SIGKILL", "kill", "RTMIN+3". 0: unknown. */
static int parse_signal(const char *text)
{
	const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
	long number;

	if (isdigit((unsigned char)text[0]))
		return args_number(text, 1, 64, &number) < 0 ? 0 : (int)number;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (!strcasecmp(signals[i].name, name))
			return signals[i].number;
	/* The kernel's numbers 34 to 64, as docker counts them. */
	if (!strncasecmp(name, "RTMIN+", 6) && !args_number(name + 6, 0, 30, &number))
		return 34 + (int)number;
	if (!strncasecmp(name, "RTMAX-", 6) && !args_number(name + 6, 0, 30, &number))
		return 64 - (int)number;
	return !strcasecmp(name, "RTMIN") ? 34 : !strcasecmp(name, "RTMAX") ? 64 : 0;
}

/* By pidfd, and the start time is compared after it is open: so the signal cannot reach another
 * process that got the number meanwhile. */
static int signal_first(const struct state *s, int sig, struct err *e)
{
	autoclose int pidfd = sys_pidfd_open((int)s->pid);

	if (pidfd < 0 || state_process_start((pid_t)s->pid) != s->startTime)
		return err_set(e, -ESRCH, "container not running");
	if (sys_pidfd_send_signal(pidfd, sig) < 0)
		return errno == ESRCH ? err_set(e, -ESRCH, "container not running") :
					err_sys(e, "send signal %d", sig);
	return 0;
}

int cmd_kill(const struct options *o, int argc, char **argv, struct err *e)
{
	bool all = false;
	const struct arg rows[] = {
		{ "all", 'a', &all, NULL, NULL },
		{ NULL, 0, NULL, NULL, NULL },
	};
	autostate struct state s = { 0 };
	autoclose int dir = -1;
	int next = args_parse(rows, argc, argv, e), sig, rc;

	if (next < 0)
		return next;
	if (next >= argc || argc - next > 2)
		return err_set(e, -EINVAL, "\"kill\" needs a container ID and at most a signal");
	sig = argc - next == 2 ? parse_signal(argv[next + 1]) : SIGTERM;
	if (!sig)
		return err_set(e, -EINVAL, "unknown signal \"%s\"", argv[next + 1]);
	dir = state_open(o->root, argv[next], false, e);
	rc = dir < 0 ? dir : state_read(dir, &s, e);
	if (rc < 0)
		return rc;
	if (all)
		return cgroup_signal(s.cgroup, sig, e);
	return signal_first(&s, sig, e);
}
