/* gate: PID 1's service at every boot. Sees what became of the other slot (lookback.h), keeps the
 * record of this boot, and, while this slot or the boot configuration is on trial, confirms it or
 * gives it up. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/initctl.h"
#include "base/log.h"
#include "update/boots.h"
#include "update/command.h"
#include "update/configtrial.h"
#include "update/device.h"
#include "update/failnote.h"
#include "update/gate.h"
#include "update/lookback.h"
#include "update/trust.h"

enum {
	LOOK_EVERY_MS = 1000,
	SAVE_LOGS_MS = 10000,
	SETTLE_MS = 120000,
	CMDLINE_BYTES_MAX = 64 * 1024,
};

static volatile sig_atomic_t told_to_end;

static void on_term(int sig)
{
	(void)sig;
	told_to_end = 1;
}

struct trial {
	struct machine machine;
	int boots; /* directory of records, -1: none can be kept */
	struct boot_record record;
	struct settings settings;
	struct before before;
	enum config_trial config;
	int64_t logs_saved_ms;
};

/* ---- records: what cannot be written is no reason to act differently ---- */

/* False: it does not outlive this boot. */
static bool write_record(struct trial *t, const char *outcome)
{
	autobuf struct buf timings = { 0 };
	struct err e = { "" };

	snprintf(t->record.outcome, sizeof(t->record.outcome), "%s", outcome);
	if (t->boots < 0)
		return false;
	initctl_ask("status", &timings, NULL);
	if (boots_write(t->boots, &t->record, buf_text(&timings), &e) == 0)
		return facts_data(NULL) == 0;
	log_warn("%s", e.text);
	return false;
}

/* The record alone, where the data partition keeps nothing (failnote.h). */
static void leave_note(struct trial *t)
{
	autobuf struct buf text = { 0 };
	autoclose int fd = -1;
	struct err e = { "" };

	boots_json(&t->record, NULL, &text);
	if (text.len > FAILNOTE_TEXT_MAX) { /* the reason names the check that failed */
		t->record.looked = false;
		buf_reset(&text);
		boots_json(&t->record, NULL, &text);
	}
	fd = device_open(t->machine.slots.state, &e);
	if (fd < 0 || failnote_write(fd, buf_text(&text), text.len, &e) < 0)
		log_error("%s", e.text);
}

static void save_logs(struct trial *t)
{
	struct err e = { "" };

	t->logs_saved_ms = clock_boot_ms();
	if (t->boots >= 0 && boots_save_logs(t->boots, &t->record, &e) < 0)
		log_warn("%s", e.text);
}

static void read_why(char out[24])
{
	static const char key[] = "berth.why=";
	autobuf struct buf cmdline = { 0 };
	const char *p;

	file_read_at(AT_FDCWD, "/proc/cmdline", CMDLINE_BYTES_MAX, &cmdline, NULL);
	p = strstr(buf_text(&cmdline), key);
	p = p ? p + strlen(key) : "";
	snprintf(out, 24, "%.*s", (int)strcspn(p, " \n"), p);
}

static void begin_record(struct trial *t)
{
	struct trust self = { 0 };
	struct err e = { "" };

	trust_of_this_machine(&self, &e);
	t->record.slot = slot_letter(t->machine.slots.running);
	t->record.time_ns = clock_wall_ns();
	t->record.on_trial = !t->machine.state.slot[t->machine.slots.running].good;
	snprintf(t->record.version, sizeof(t->record.version), "%s", self.running);
	snprintf(t->record.outcome, sizeof(t->record.outcome), "running");
	read_why(t->record.why);
	t->config = configtrial_read(t->record.config);
	t->boots = store_open(BOOTS_PATH, &e);
	if (t->boots < 0 || boots_begin(t->boots, &t->record, &e) < 0)
		log_warn("this boot leaves no record: %s", e.text);
}

/* ---- the trial ---- */

static void give_config_back(struct trial *t)
{
	struct err e = { "" };

	if (t->config == CONFIG_NEW && configtrial_give_back(&e) < 0)
		log_warn("%s", e.text);
}

/* Boots that cost a try are the loader's own choice of a slot that could be booted. */
static void give_back(struct trial *t)
{
	struct machine *m = &t->machine;
	struct err e = { "" };

	if (!t->record.on_trial)
		return;
	if (strcmp(t->record.why, "preferred") != 0 && strcmp(t->record.why, "fallback") != 0)
		return;
	if (access(ROLLED_BACK_PATH, F_OK) == 0 || slots_read_state(&m->slots, &m->state, &e) < 0 ||
	    !bootstate_give_back(&m->state, m->slots.running))
		return;
	if (slots_write_state(&m->slots, &m->state, &e) < 0)
		log_error("%s", e.text);
	else
		log_info("a reboot in order: it costs no try");
	write_record(t, "rebooted");
}

static void keep_config(struct trial *t)
{
	struct before now;
	struct err e = { "" };

	if (t->config == CONFIG_SETTLED)
		return;
	facts_host(&now);
	/* First how the machine is with it: of one that is good this must be known. */
	if ((t->machine.store >= 0 && store_write_good(t->machine.store, &now, &e) < 0) ||
	    configtrial_keep(&e) < 0)
		log_warn("%s", e.text);
	else
		log_info("the configuration passed its gate and is the last good one");
}

/* What the confirmed slot holds and, if this boot's is `good`, the configuration that it is good
 * with. A version that came with the disk has no other record. */
static void note_slot(struct trial *t, bool good)
{
	struct machine *m = &t->machine;
	struct slot_record r;
	struct err e = { "" };

	if (m->store < 0)
		return;
	if (store_read_slot(m->store, m->slots.running, &r, NULL) < 0 ||
	    strcmp(r.version, t->record.version) != 0) {
		r = (struct slot_record){ .result = RESULT_INSTALLED };
		memcpy(r.version, t->record.version, sizeof(r.version));
	}
	good = good && strcmp(r.config, t->record.config) != 0;
	if (r.result == RESULT_CONFIRMED && !good)
		return;
	r.result = RESULT_CONFIRMED;
	r.reason[0] = '\0';
	if (good)
		memcpy(r.config, t->record.config, sizeof(r.config));
	if (store_write_slot(m->store, m->slots.running, &r, &e) < 0)
		log_warn("%s", e.text);
}

static int confirm(struct trial *t)
{
	struct machine *m = &t->machine;
	struct err e = { "" };

	bootstate_confirm(&m->state, m->slots.running);
	if (slots_write_state(&m->slots, &m->state, &e) < 0)
		return command_failed(&e);
	log_info("%s is confirmed in slot %c", t->record.version, t->record.slot);
	write_record(t, "confirmed");
	note_slot(t, true);
	return EXIT_OK;
}

static void tell_reason(struct trial *t)
{
	size_t count;
	const struct gate_check *checks = gate_checks(&count);

	for (size_t i = 0; i < count; i++)
		if (!t->record.look.ok[i]) {
			snprintf(t->record.reason, sizeof(t->record.reason), "%s: %.*s", checks[i].name,
				 REASON_MAX - 32, t->record.look.why[i]);
			return;
		}
	snprintf(t->record.reason, sizeof(t->record.reason), "services or containers kept restarting");
}

/* A configuration is taken back before a version is: the version is tried again without it. Should
 * that fail as well, the configuration gets another chance, without the version. */
static int give_config_up(struct trial *t)
{
	const char *beside = t->record.on_trial ? t->record.version : NULL;
	struct err e = { "" };

	log_error("the new configuration did not pass its gate: %s", t->record.reason);
	if (configtrial_refuse(t->record.reason, beside, &e) < 0) {
		log_error("%s: it stays in force", e.text);
		write_record(t, "degraded");
		return EXIT_OK;
	}
	give_back(t);
	write_record(t, "config refused");
	save_logs(t);
	return command_reboot(&e) < 0 ? command_failed(&e) : EXIT_OK;
}

static int give_up(struct trial *t)
{
	struct machine *m = &t->machine;
	struct err e = { "" };

	tell_reason(t);
	if (t->config == CONFIG_NEW)
		return give_config_up(t);
	if (!t->record.on_trial) { /* the first configuration: there is none to go back to */
		write_record(t, "degraded");
		return EXIT_OK;
	}
	log_error("%s did not pass its gate: %s", t->record.version, t->record.reason);
	if (bootstate_give_up(&m->state, m->slots.running, &e) < 0) {
		log_error("%s: this one stays up as it is", e.text);
		write_record(t, "degraded");
		return EXIT_OK;
	}
	if (!write_record(t, "failed"))
		leave_note(t);
	save_logs(t);
	if (m->store >= 0)
		store_fail_slot(m->store, m->slots.running, t->record.reason, NULL);
	if (configtrial_reconsider(t->record.version, &e) < 0)
		log_warn("%s", e.text);
	if (slots_write_state(&m->slots, &m->state, &e) < 0 || command_reboot(&e) < 0)
		return command_failed(&e);
	return EXIT_OK;
}

static enum gate_verdict look(struct trial *t, struct gate *g)
{
	struct gate_input in = { .before = &t->before, .settings = &t->settings,
				 .version = t->record.on_trial, .config = t->config == CONFIG_NEW };
	bool holds;

	facts_settings(&t->settings); /* bootcfg may have been late */
	holds = gate_look(&in, &t->record.look);
	t->record.looked = true;
	return gate_step(g, holds, t->record.look.incarnation, clock_boot_ms());
}

/* Confirmed or rolled back by hand, while the gate was looking. */
static bool was_decided(struct trial *t)
{
	struct machine *m = &t->machine;
	struct err e = { "" };

	if (access(ROLLED_BACK_PATH, F_OK) == 0)
		return true;
	if (!t->record.on_trial)
		return configtrial_decided();
	if (slots_read_state(&m->slots, &m->state, &e) < 0) {
		log_error("%s", e.text);
		return true;
	}
	return m->state.slot[m->slots.running].good;
}

/* How the machine was before what is on trial now. */
static void recall(struct trial *t)
{
	struct machine *m = &t->machine;
	struct slot_record r = { 0 };

	if (m->store >= 0 && t->record.on_trial)
		store_read_slot(m->store, m->slots.running, &r, NULL);
	t->before = r.before;
	if (m->store >= 0 && !t->record.on_trial)
		store_read_good(m->store, &t->before);
	if (t->record.on_trial)
		log_info("%s is on trial in slot %c, boots left after this one: %u", t->record.version,
			 t->record.slot, m->state.slot[m->slots.running].tries);
	if (t->config != CONFIG_SETTLED)
		log_info("the configuration is on trial: it is new here");
}

static int on_trial(struct trial *t)
{
	enum gate_verdict verdict = GATE_WAIT;
	struct gate g;

	recall(t);
	facts_settings(&t->settings);
	gate_begin(&g, &t->settings, clock_boot_ms());
	while (!told_to_end && verdict == GATE_WAIT) {
		verdict = look(t, &g);
		if (clock_boot_ms() - t->logs_saved_ms >= SAVE_LOGS_MS)
			save_logs(t);
		if (verdict == GATE_WAIT)
			poll(NULL, 0, LOOK_EVERY_MS);
		if (was_decided(t)) {
			if (!t->record.on_trial)
				note_slot(t, true);
			return EXIT_OK;
		}
	}
	if (told_to_end) {
		give_config_back(t);
		give_back(t);
		return EXIT_OK;
	}
	if (verdict != GATE_PASS)
		return give_up(t);
	keep_config(t);
	if (t->record.on_trial)
		return confirm(t);
	write_record(t, "running");
	note_slot(t, true);
	return EXIT_OK;
}

/* A confirmed slot has nothing to pass; how its boot went is written down all the same. */
static int watch_boot(struct trial *t)
{
	int64_t until = clock_boot_ms() + SETTLE_MS;
	uint64_t restarts;

	while (!told_to_end && facts_services(&restarts, NULL) < 0 && clock_boot_ms() < until)
		poll(NULL, 0, LOOK_EVERY_MS);
	write_record(t, "running");
	return EXIT_OK;
}

/* Without slots nobody starts the machine again on another configuration: this one is the good one,
 * for the day when a later one cannot be read. */
static int without_slots(const struct err *why)
{
	char digest[SHA256_HEX_MAX];
	struct err e = { "" };

	log_info("no slots to look after: %s", why->text);
	if (configtrial_read(digest) != CONFIG_SETTLED && configtrial_keep(&e) < 0)
		log_warn("%s", e.text);
	return EXIT_OK;
}

int command_gate(int argc, char **argv)
{
	struct trial t = { .machine = { .store = -1 }, .boots = -1 };
	struct sigaction term = { .sa_handler = on_term };
	struct err e = { "" };
	int code;

	if (!command_words(argc, argv, 0, 0))
		return EXIT_USAGE;
	sigaction(SIGTERM, &term, NULL);
	if (machine_open(&t.machine, &e) < 0) {
		machine_close(&t.machine);
		return without_slots(&e);
	}
	lookback(&t.machine);
	begin_record(&t);
	if (!t.record.on_trial)
		note_slot(&t, t.config == CONFIG_SETTLED);
	code = t.record.on_trial || t.config != CONFIG_SETTLED ? on_trial(&t) : watch_boot(&t);
	machine_close(&t.machine);
	return code;
}
