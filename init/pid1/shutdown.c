#include "pid1/shutdown.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "pid1/cgroup.h"
#include "pid1/keep.h"
#include "pid1/machine.h"
#include "pid1/mounts.h"
#include "pid1/say.h"
#include "pid1/supervisor.h"
#include "pid1/watchdog.h"

enum {
	SERVICES_BOUND_MS = 110000, /* the engine's 90 s and the others after it */
	PROGRESS_MS = 5000,
	FINAL_BOUND_S = 60,
	TERM_WAIT_MS = 1000,        /* sessions and strays */
	CONTAINERS_WAIT_MS = 10000, /* containers that no engine has stopped */
	KILL_WAIT_MS = 3000,
	IMPATIENT_REQUESTS = 3,
};

static const struct {
	const char *doing;
	int command; /* of reboot(2) */
} kinds[] = {
	[SHUTDOWN_REBOOT] = { "rebooting", RB_AUTOBOOT },
	[SHUTDOWN_POWEROFF] = { "powering off", RB_POWER_OFF },
	[SHUTDOWN_HALT] = { "halting", RB_HALT_SYSTEM },
};

static enum shutdown_kind kind;
static int64_t begun_ms;
static int requests;

static void on_progress(struct loop *l, void *arg)
{
	struct machine *m = arg;
	int64_t since_ms = 0, now = clock_boot_ms();
	int grace_ms = 0;
	const char *name = supervisor_waits_for(m->services, &since_ms, &grace_ms);

	if (now - begun_ms >= SERVICES_BOUND_MS) {
		say("shutdown", "services did not stop in %d s; going on", SERVICES_BOUND_MS / 1000);
		loop_stop(l, 0);
		return;
	}
	if (name)
		say("shutdown", "%s: stopping, %lld s of at most %d s", name,
		    (long long)(now - since_ms) / 1000, grace_ms / 1000);
	loop_timer(l, PROGRESS_MS, on_progress, m);
}

void shutdown_begin(struct machine *m, enum shutdown_kind what, const char *why)
{
	requests++;
	if (m->state == MACHINE_STOPPING) {
		if (requests < IMPATIENT_REQUESTS)
			return;
		say("shutdown", "asked %d times (%s): not waiting any longer", requests, why);
		loop_stop(m->loop, 0);
		return;
	}
	kind = what;
	m->state = MACHINE_STOPPING;
	begun_ms = clock_boot_ms();
	say("shutdown", "%s: %s", kinds[kind].doing, why);
	loop_timer(m->loop, PROGRESS_MS, on_progress, m);
	if (m->services)
		supervisor_stop_all(m->services);
	else
		loop_stop(m->loop, 0);
}

void shutdown_services_stopped(struct machine *m)
{
	say("shutdown", "services stopped in %lld ms", (long long)(clock_boot_ms() - begun_ms));
	loop_stop(m->loop, 0);
}

/* ---- the final part ---- */

static void on_bound(int sig)
{
	(void)sig;
	say_emergency("\r\nberth: the shutdown hangs; ending it here\r\n");
	reboot(kinds[kind].command);
	/* Not even that: the watchdog's turn, or the kernel's panic. */
	_exit(1);
}

static void set_bound(void)
{
	struct sigaction action = { .sa_handler = on_bound };
	struct itimerval timer = { .it_value = { .tv_sec = FINAL_BOUND_S } };
	sigset_t none;

	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&none);
	sigaddset(&none, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &none, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Reaps until no process is left (all orphans are our children) or the time is over. */
static bool everybody_gone(int64_t wait_ms)
{
	int64_t until = clock_boot_ms() + wait_ms;

	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return true;
		if (pid > 0)
			continue;
		if (clock_boot_ms() >= until)
			return false;
		watchdog_feed();
		poll(NULL, 0, 20);
	}
}

static void end_processes(void)
{
	bool containers = cgroup_has_containers();

	if (containers)
		say("shutdown", "containers still run without their engine: SIGTERM, %d s",
		    CONTAINERS_WAIT_MS / 1000);
	kill(-1, SIGTERM);
	if (everybody_gone(containers ? CONTAINERS_WAIT_MS : TERM_WAIT_MS))
		return;
	cgroup_kill_containers();
	kill(-1, SIGKILL);
	if (!everybody_gone(KILL_WAIT_MS))
		say("shutdown", "a process does not die; its file system may stay busy");
}

void shutdown_final(struct machine *m)
{
	int64_t start_ms = clock_boot_ms();
	int left;

	(void)m;
	say_attach(NULL);
	set_bound();
	watchdog_feed();
	end_processes();
	say_outcome("processes", "ended", clock_boot_ms() - start_ms, "");
	start_ms = clock_boot_ms();
	keep_seed_save();
	keep_clock_touch();
	sync();
	watchdog_feed();
	left = mounts_take_down();
	sync();
	say_outcome("file systems", left ? "busy" : "ok", clock_boot_ms() - start_ms,
		    left ? "synced, but not all could be unmounted" : "unmounted");
	say("shutdown", "%s now, after %lld.%03lld s", kinds[kind].doing,
	    (long long)(clock_boot_ms() - begun_ms) / 1000,
	    (long long)(clock_boot_ms() - begun_ms) % 1000);
	say_drain(300);
	if (kind != SHUTDOWN_REBOOT)
		watchdog_disarm();
	reboot(kinds[kind].command);
	/* A machine that cannot power off comes back instead of standing there half dead. */
	reboot(RB_AUTOBOOT);
	_exit(1);
}
