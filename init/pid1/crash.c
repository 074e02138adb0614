#include "pid1/crash.h"

#include <linux/reboot.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "pid1/say.h"

enum { STACK_BYTES = 16 * 1024, WAIT_S = 5 };

static char *put_text(char *p, const char *text)
{
	while (*text)
		*p++ = *text++;
	return p;
}

/* snprintf is not async-signal-safe. */
static char *put_hex(char *p, uintptr_t value)
{
	p = put_text(p, "0x");
	for (int shift = (int)sizeof(value) * 8 - 4; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[value >> shift & 15];
	return p;
}

static const char *signal_text(int sig)
{
	switch (sig) {
	case SIGSEGV: return "a bad memory access (SIGSEGV)";
	case SIGBUS: return "a bad memory access (SIGBUS; the root may be unreadable)";
	case SIGILL: return "a bad instruction (SIGILL)";
	case SIGFPE: return "a bad calculation (SIGFPE)";
	case SIGABRT: return "an abort (SIGABRT)";
	default: return "a bad system call (SIGSYS)";
	}
}

static void on_crash(int sig, siginfo_t *info, void *context)
{
	static const char tail[] = ". Reboot in 5 seconds.\r\n";
	struct timespec wait = { .tv_sec = WAIT_S };
	char line[200], *p = line;

	(void)context;
	/* A child of ours between fork and exec: its end is its own. */
	if (getpid() != 1)
		_exit(127);
	p = put_text(p, "\r\nberth: PID 1 crashed: ");
	p = put_text(p, signal_text(sig));
	p = put_text(p, " at ");
	p = put_hex(p, (uintptr_t)info->si_addr);
	p = put_text(p, tail);
	*p = '\0';
	say_emergency(line);
	/* In a child: a disk that hangs must not keep us from the reboot. */
	if (syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL) == 0) {
		sync();
		_exit(0);
	}
	nanosleep(&wait, NULL);
	reboot(RB_AUTOBOOT);
	/* Only without CAP_SYS_BOOT; PID 1's exit makes the kernel panic, which reboots too. */
	_exit(1);
}

void crash_install(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS };
	static char stack[STACK_BYTES];
	/* Its own stack: an overflow of the usual one is among the causes. */
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = {
		.sa_sigaction = on_crash,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER,
	};

	sigaltstack(&alternate, NULL);
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, NULL);
}
