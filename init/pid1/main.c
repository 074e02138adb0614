/* PID 1 of Berth. Boot steps, then services, then the loop until the end. See README.md. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "pid1/cgroup.h"
#include "pid1/consoles.h"
#include "pid1/control.h"
#include "pid1/crash.h"
#include "pid1/identity.h"
#include "pid1/keep.h"
#include "pid1/loopback.h"
#include "pid1/machine.h"
#include "pid1/mounts.h"
#include "pid1/power.h"
#include "pid1/say.h"
#include "pid1/shutdown.h"
#include "pid1/status.h"
#include "pid1/supervisor.h"
#include "pid1/tuning.h"
#include "pid1/watchdog.h"

enum {
	REAP_PER_TURN = 128,
	SLOW_MS = 10000,
	CLOCK_TOUCH_MS = 3600 * 1000,
	LOOP_ERROR_WAIT_MS = 1000,
};

#define LOG_DIR "/run/berth/log"
/* The partition under the root when init/netboot made it. */
#define NETBOOT_ROOT "/sys/block/dm-0/slaves/loop0p5"
#define CONTROL_SOCKET "/run/berth/init.sock"
#define ASKED_ON_SOCKET "asked for on " CONTROL_SOCKET

static struct machine machine;

/* ---- boot steps ---- */

static int step_console(struct machine *m, struct err *say_)
{
	autobuf struct buf names = { 0 };

	(void)m;
	if (!say_open_consoles())
		return err_set(say_, -ENODEV, "no console can be opened");
	for (int i = 0; say_console_name(i); i++)
		buf_addf(&names, "%s%s", i ? " " : "", say_console_name(i));
	err_set(say_, 0, "%s", buf_text(&names));
	return 0;
}

static int step_cmdline(struct machine *m, struct err *say_)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_at(AT_FDCWD, "/proc/cmdline", 64 * 1024, &text, say_);

	if (rc >= 0)
		cmdline_parse(buf_text(&text), &m->options);
	if (!access(NETBOOT_ROOT, F_OK))
		snprintf(m->options.slot, sizeof(m->options.slot), "%s", CMDLINE_SLOT_MEMORY);
	return rc;
}

static int step_log(struct machine *m, struct err *say_)
{
	int dir = open(LOG_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)m;
	if (dir < 0)
		return err_sys(say_, "open \"%s\"", LOG_DIR);
	say_open_log(dir);
	return 0;
}

static void answer(const struct request *r, struct buf *out, void *arg);

static int step_control(struct machine *m, struct err *say_)
{
	return control_listen(m->loop, CONTROL_SOCKET, answer, m, say_);
}

static const struct step first_steps[] = {
	{ "mounts", mounts_step_system, 5000, STEP_RESCUE },
	{ "console", step_console, 2000, STEP_IGNORE },
	{ "command line", step_cmdline, 1000, STEP_DEGRADE },
	{ "version", identity_step_version, 1000, STEP_IGNORE },
	{ "log", step_log, 1000, STEP_DEGRADE },
	{ "entropy", keep_step_entropy, 1000, STEP_IGNORE },
	{ "watchdog", watchdog_step, 2000, STEP_IGNORE },
	{ "root", mounts_step_root, 1000, STEP_DEGRADE },
	{ "etc", mounts_step_etc, 1000, STEP_DEGRADE },
	{ "cgroups", cgroup_step, 2000, STEP_DEGRADE },
	{ "sysctls", tuning_step_sysctls, 2000, STEP_DEGRADE },
	{ "limits", tuning_step_limits, 1000, STEP_DEGRADE },
	{ "hostname", identity_step_hostname, 1000, STEP_IGNORE },
	{ "clock", keep_step_clock_build, 1000, STEP_IGNORE },
	{ "loopback", loopback_step, 1000, STEP_DEGRADE },
	{ "power button", power_step, 1000, STEP_IGNORE },
	{ "control", step_control, 1000, STEP_DEGRADE },
};

static const struct step data_steps[] = {
	{ "var", mounts_step_var, 5000, STEP_DEGRADE },
	{ "machine id", identity_step_machine_id, 5000, STEP_DEGRADE },
	{ "seed", keep_step_seed, 5000, STEP_IGNORE },
	{ "last clock", keep_step_clock_var, 2000, STEP_IGNORE },
};

static const struct step config_steps[] = {
	{ "ssh keys", keep_step_ssh_keys, 5000, STEP_IGNORE },
};

static const struct step rescue_data_steps[] = {
	{ "ssh keys", keep_step_ssh_keys_back, 5000, STEP_IGNORE },
};

/* Steps that PID 1 takes when a service has settled, before those that come after it start. */
static const struct {
	const char *service;
	bool rescue_only;
	const struct step *steps;
	size_t count;
} follow_ups[] = {
	{ "data", false, data_steps, ARRAY_LEN(data_steps) },
	{ "data", true, rescue_data_steps, ARRAY_LEN(rescue_data_steps) },
	{ "config", false, config_steps, ARRAY_LEN(config_steps) },
	{ "metadata", false, config_steps, ARRAY_LEN(config_steps) },
};

/* ---- what the machine tells about itself ---- */

const char *machine_rescue_reason(const struct machine *m)
{
	static char text[240];

	if (m->state != MACHINE_RESCUE)
		return "";
	if (m->rescue_asked)
		return "asked for at the console or with \"berth reboot --rescue\", for this boot";
	if (!m->rescue_step && m->options.state_lost)
		return "the boot state is lost (\"berth update confirm\" makes it anew; then reboot)";
	if (!m->rescue_step)
		return "asked for on the kernel command line (berth.rescue)";
	snprintf(text, sizeof(text), "boot step \"%s\" failed: %s", m->rescue_step->name,
		 m->rescue_step->text);
	return text;
}

/* `services` must live as long as the result. */
static struct status machine_status(const struct machine *m,
				    struct status_service services[SERVICES_MAX])
{
	static const char *const states[] = {
		[MACHINE_BOOTING] = "booting", [MACHINE_RUNNING] = "",
		[MACHINE_RESCUE] = "rescue",   [MACHINE_STOPPING] = "stopping",
	};

	return (struct status){
		.version = BERTH_VERSION,
		.slot = m->options.slot,
		.state = states[m->state],
		.rescue = machine_rescue_reason(m),
		.var_in_memory = m->var_in_memory,
		.uptime_ms = clock_boot_ms(),
		.steps = &m->steps,
		.services = services,
		.service_count = m->services ?
			supervisor_status(m->services, services, SERVICES_MAX) : 0,
	};
}

static void answer(const struct request *r, struct buf *out, void *arg)
{
	static const char *const by = ASKED_ON_SOCKET;
	struct status_service services[SERVICES_MAX];
	struct machine *m = arg;
	struct status status = machine_status(m, services);
	struct err e = { 0 };

	switch (r->verb) {
	case REQUEST_STATUS:
		status_json(&status, out);
		return;
	case REQUEST_SUMMARY:
		status_summary(&status, out);
		return;
	case REQUEST_REBOOT:
		shutdown_begin(m, SHUTDOWN_REBOOT, by);
		break;
	case REQUEST_RESCUE:
		if (keep_ask_rescue(m, &e) >= 0)
			shutdown_begin(m, SHUTDOWN_REBOOT, "to rescue mode, " ASKED_ON_SOCKET);
		break;
	case REQUEST_WATCHDOG:
		watchdog_change(m->loop, r->name, &e);
		break;
	case REQUEST_POWEROFF:
		shutdown_begin(m, SHUTDOWN_POWEROFF, by);
		break;
	case REQUEST_HALT:
		shutdown_begin(m, SHUTDOWN_HALT, by);
		break;
	default:
		if (!m->services)
			err_set(&e, -ESRCH, "no services are supervised");
		else
			supervisor_request(m->services, r->verb, r->name, &e);
	}
	if (e.text[0])
		buf_addf(out, "error: %s\n", e.text);
	else
		buf_adds(out, "ok\n");
}

/* ---- what services and signals do ---- */

static void enter_rescue(struct machine *m)
{
	m->state = MACHINE_RESCUE;
	say("berth", "rescue mode: %s", machine_rescue_reason(m));
	for (int i = 0; consoles_service(m, i); i++)
		; /* their command lines follow the machine's state */
	supervisor_rescue_only(m->services);
}

static void on_settled(const char *name, void *arg)
{
	struct machine *m = arg;
	const struct step_result *ignored = NULL; /* past the mark: nothing asks for rescue */

	if (!strcmp(name, "data") && m->state == MACHINE_BOOTING && keep_rescue_asked()) {
		m->rescue_asked = true;
		enter_rescue(m);
	}
	for (size_t i = 0; i < ARRAY_LEN(follow_ups); i++) {
		if (strcmp(follow_ups[i].service, name) ||
		    (follow_ups[i].rescue_only && m->state != MACHINE_RESCUE))
			continue;
		steps_run(follow_ups[i].steps, follow_ups[i].count, m, &m->steps, &ignored);
	}
}

static void on_all_settled(void *arg)
{
	struct status_service services[SERVICES_MAX];
	autobuf struct buf text = { 0 };
	struct machine *m = arg;
	struct status status;
	char *rest, *line;

	if (m->state == MACHINE_BOOTING)
		m->state = MACHINE_RUNNING;
	status = machine_status(m, services);
	say_outcome("berth", status_state(&status), clock_boot_ms() - m->begun_ms, "since PID 1 began");
	status_summary(&status, &text);
	rest = buf_ok(&text) ? text.data : NULL;
	while (rest && (line = strsep(&rest, "\n")))
		if (!strncmp(line, "fault ", 6))
			say("fault", "%s", line + 6);
}

static void on_all_stopped(void *arg)
{
	shutdown_services_stopped(arg);
}

static void on_child(struct loop *l, int sig, void *arg);

static void reap_more(struct loop *l, void *arg)
{
	on_child(l, SIGCHLD, arg);
}

static void on_child(struct loop *l, int sig, void *arg)
{
	struct machine *m = arg;
	int status;

	(void)sig;
	for (int i = 0; i < REAP_PER_TURN; i++) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid <= 0)
			return;
		if (m->services)
			supervisor_child_ended(m->services, pid, status);
	}
	/* A storm of orphans must not keep the loop from its other work. */
	loop_timer(l, 0, reap_more, m);
}

static const struct {
	int sig;
	enum shutdown_kind kind;
	const char *why;
} signals[] = {
	{ SIGINT, SHUTDOWN_REBOOT, "Ctrl-Alt-Del" },
	{ SIGPWR, SHUTDOWN_POWEROFF, "power failure (SIGPWR)" },
	/* As BusyBox's reboot, halt and poweroff tell an init. */
	{ SIGTERM, SHUTDOWN_REBOOT, "SIGTERM" },
	{ SIGUSR1, SHUTDOWN_HALT, "SIGUSR1" },
	{ SIGUSR2, SHUTDOWN_POWEROFF, "SIGUSR2" },
};

static void on_signal(struct loop *l, int sig, void *arg)
{
	(void)l;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i].sig == sig)
			shutdown_begin(arg, signals[i].kind, signals[i].why);
}

static void on_power_button(void *arg)
{
	shutdown_begin(arg, SHUTDOWN_POWEROFF, "power button");
}

static void on_slow(struct loop *l, void *arg)
{
	struct machine *m = arg;

	if (m->state != MACHINE_BOOTING)
		return;
	supervisor_tell_slow(m->services);
	loop_timer(l, SLOW_MS, on_slow, m);
}

static void on_clock_touch(struct loop *l, void *arg)
{
	keep_clock_touch();
	loop_timer(l, CLOCK_TOUCH_MS, on_clock_touch, arg);
}

/* ---- the way up ---- */

static void prepare(struct machine *m)
{
	m->begun_ms = clock_boot_ms();
	/* 0, 1, 2 are never anything that PID 1 opens for itself. */
	while (open("/dev/null", O_RDWR) < 3 && errno != ENOENT)
		;
	crash_install();
	umask(022);
	reboot(RB_DISABLE_CAD); /* Ctrl-Alt-Del is a SIGINT to us, not the end on the spot */
	signal(SIGPIPE, SIG_IGN);
	if (chdir("/") < 0)
		say("berth", "cannot change to \"/\": %s", strerror(errno));
}

static void watch(struct machine *m)
{
	say_attach(m->loop);
	watchdog_attach(m->loop);
	power_attach(m->loop, on_power_button, m);
	loop_signal(m->loop, SIGCHLD, on_child, m);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		loop_signal(m->loop, signals[i].sig, on_signal, m);
	loop_timer(m->loop, CLOCK_TOUCH_MS, on_clock_touch, m);
}

static void add_service(struct machine *m, const struct service_def *def)
{
	struct err e = { 0 };

	if (supervisor_add(m->services, def, &e) < 0)
		say("berth", "%s", e.text);
}

static void start_services(struct machine *m)
{
	static const struct supervisor_hooks hooks = {
		.settled = on_settled, .all_settled = on_all_settled,
		.all_stopped = on_all_stopped, .arg = &machine,
	};
	struct err e = { 0 };
	size_t count;
	const struct service_def *table = service_table(&count);
	const struct service_def *seat;

	if (supervisor_new(m->loop, open(LOG_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC), &hooks,
			   &m->services, &e) < 0) {
		say("berth", "%s", e.text);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (m->state != MACHINE_RESCUE || table[i].in_rescue)
			add_service(m, &table[i]);
	for (int i = 0; (seat = consoles_service(m, i)); i++)
		add_service(m, seat);
	loop_timer(m->loop, SLOW_MS, on_slow, m);
	supervisor_start(m->services);
}

int main(void)
{
	struct machine *m = &machine;
	struct err e = { 0 };

	if (getpid() != 1) {
		fprintf(stderr, "init: this is the machine's PID 1; \"berth\" talks to it\n");
		return 1;
	}
	prepare(m);
	if (loop_new(&m->loop, &e) < 0) {
		say_emergency(e.text);
		return 1; /* no memory for a few bytes at boot: the kernel panics and reboots */
	}
	steps_run(first_steps, ARRAY_LEN(first_steps), m, &m->steps, &m->rescue_step);
	if (m->options.rescue || m->rescue_step)
		m->state = MACHINE_RESCUE;

	/* ==== THE MARK: from here on nothing is fatal. What fails is told, and boot goes on. ==== */

	watch(m);
	if (m->state == MACHINE_RESCUE)
		say("berth", "rescue mode: %s", machine_rescue_reason(m));
	start_services(m);
	for (;;) {
		int rc = loop_run(m->loop);

		if (m->state == MACHINE_STOPPING)
			shutdown_final(m);
		say("berth", "the event loop stopped: %s; it goes on", strerror(-rc));
		poll(NULL, 0, LOOP_ERROR_WAIT_MS);
	}
}
