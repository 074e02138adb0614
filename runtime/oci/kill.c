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
	long long number;

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

static int send(const struct options *o, const char *id, bool all, int sig, struct err *e)
{
	autostate struct state s = { 0 };
	autoclose int dir = state_load(o->root, id, false, &s, e);

	int rc = dir < 0 ? dir : 0;

	if (!rc && all)
		rc = state_need_cgroup(&s, e);
	if (rc < 0)
		return rc;
	return all ? cgroup_signal(s.cgroup, sig, e) : signal_first(&s, sig, e);
}

int cmd_kill(const struct options *o, int argc, char **argv, struct err *e)
{
	bool all = false;
	const struct arg rows[] = {
		ARG_FLAG("all", 'a', &all, "to every process of the container"),
		ARG_END,
	};
	int next = args_parse(rows, argc, argv, e), sig;

	if (next < 0)
		return next;
	if (next >= argc || argc - next > 2)
		return err_set(e, -EINVAL, "\"kill\" needs a container ID and at most a signal");
	sig = argc - next == 2 ? parse_signal(argv[next + 1]) : SIGTERM;
	if (!sig)
		return err_set(e, -EINVAL, "unknown signal \"%s\"", argv[next + 1]);
	return send(o, argv[next], all, sig, e);
}
