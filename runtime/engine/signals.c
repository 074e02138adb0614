#include "engine/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	int number;
} table[] = {
	{ "ABRT", SIGABRT }, { "ALRM", SIGALRM }, { "BUS", SIGBUS }, { "CHLD", SIGCHLD },
	{ "CLD", SIGCHLD }, { "CONT", SIGCONT }, { "FPE", SIGFPE }, { "HUP", SIGHUP },
	{ "ILL", SIGILL }, { "INT", SIGINT }, { "IO", SIGIO }, { "IOT", SIGABRT },
	{ "KILL", SIGKILL }, { "PIPE", SIGPIPE }, { "POLL", SIGIO }, { "PROF", SIGPROF },
	{ "PWR", SIGPWR }, { "QUIT", SIGQUIT }, { "SEGV", SIGSEGV }, { "STKFLT", 16 },
	{ "STOP", SIGSTOP }, { "SYS", SIGSYS }, { "TERM", SIGTERM }, { "TRAP", SIGTRAP },
	{ "TSTP", SIGTSTP }, { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "VTALRM", SIGVTALRM }, { "WINCH", SIGWINCH },
	{ "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },
};

/* The kernel's own numbers: a C library keeps the first few real-time signals for itself. */
enum { RT_FIRST = 34, RT_LAST = 64 };

static int real_time(const char *text)
{
	int base, sign;
	char *end;
	long by;

	if (!strncasecmp(text, "RTMIN", 5)) {
		base = RT_FIRST;
		sign = 1;
	} else if (!strncasecmp(text, "RTMAX", 5)) {
		base = RT_LAST;
		sign = -1;
	} else {
		return -EINVAL;
	}
	if (!text[5])
		return base;
	if (text[5] != (sign > 0 ? '+' : '-'))
		return -EINVAL;
	by = strtol(text + 6, &end, 10);
	if (*end || end == text + 6 || by < 0 || by > RT_LAST - RT_FIRST)
		return -EINVAL;
	return base + sign * (int)by;
}

int signal_number(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (end != text)
		return !*end && number > 0 && number <= RT_LAST ? (int)number : -EINVAL;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcasecmp(table[i].name, text))
			return table[i].number;
	return real_time(text);
}
