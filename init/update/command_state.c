/* confirm, rollback, forget: what a person decides about versions. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "update/command.h"
#include "update/statefs.h"
#include "update/store.h"

/* The slot's record with a new result; there may be none. */
static void note_result(const struct machine *m, enum slot s, enum result result)
{
	struct slot_record r;
	struct err e = { "" };

	if (m->store < 0 || store_read_slot(m->store, s, &r, NULL) < 0)
		return;
	r.result = result;
	if (store_write_slot(m->store, s, &r, &e) < 0)
		log_warn("%s", e.text);
}

/* Its gate asks for what the machine is now, not for what it was when it was installed. */
static void note_trial(const struct machine *m, enum slot s)
{
	struct slot_record r = { 0 };
	struct settings settings;
	struct err e = { "" };

	if (m->store < 0)
		return;
	store_read_slot(m->store, s, &r, NULL);
	facts_settings(&settings);
	facts_all(&settings, &r.before);
	r.result = RESULT_INSTALLED;
	if (store_write_slot(m->store, s, &r, &e) < 0)
		log_warn("%s", e.text);
}

int command_confirm(int argc, char **argv)
{
	automachine struct machine m = { .store = -1 };
	struct err e = { "" };
	bool lost;
	int rc;

	if (!command_words(argc, argv, 0, 0))
		return EXIT_USAGE;
	rc = machine_open(&m, &e);
	/* Both copies: nothing is known of the other slot, this one becomes the only one. */
	lost = rc == -EBADMSG;
	if (lost)
		m.state = (struct bootstate){ 0 };
	else if (rc < 0)
		return command_failed(&e);
	bootstate_confirm(&m.state, m.slots.running);
	rc = lost ? statefs_make(m.slots.state, &m.state, &e) :
		    slots_write_state(&m.slots, &m.state, &e);
	if (rc < 0)
		return command_failed(&e);
	note_result(&m, m.slots.running, RESULT_CONFIRMED);
	log_info("slot %c is confirmed", slot_letter(m.slots.running));
	if (lost)
		log_info("the boot state is made anew; what slot %c holds is not known any more",
			 slot_letter(slot_other(m.slots.running)));
	return EXIT_OK;
}

/* A person wants the other slot's version again, whatever was refused. */
static void let_in(const struct machine *m, enum slot s)
{
	struct slot_record r;
	struct err e = { "" };

	if (m->store < 0 || store_read_slot(m->store, s, &r, NULL) < 0 || !*r.digest)
		return;
	if (store_forget(m->store, r.digest, &e) < 0)
		log_warn("%s", e.text);
}

/* Or an automatic update would bring the same version back. */
static void refuse_running(const struct machine *m)
{
	struct slot_record r;
	struct refusal refusal = { .reason = "a person rolled it back" };
	struct err e = { "" };

	if (m->store < 0 || store_read_slot(m->store, m->slots.running, &r, NULL) < 0 || !*r.digest)
		return;
	memcpy(refusal.digest, r.digest, sizeof(refusal.digest));
	memcpy(refusal.version, r.version, sizeof(refusal.version));
	if (store_refuse(m->store, &refusal, &e) < 0)
		log_warn("%s", e.text);
}

/* From a version that is on trial: it is given up and refused. From a confirmed one: the other is
 * tried like an update, so that this one is there again if that does not work. */
static int roll_back(struct machine *m, struct err *e)
{
	enum slot running = m->slots.running, other = slot_other(running);
	int rc;

	if (m->state.slot[running].good) {
		if (!m->state.slot[other].good)
			return err_set(e, -EPERM, "slot %c holds no version that could be booted",
				       slot_letter(other));
		bootstate_arm(&m->state, other);
		note_trial(m, other);
		let_in(m, other);
		refuse_running(m);
		return slots_write_state(&m->slots, &m->state, e);
	}
	rc = bootstate_give_up(&m->state, running, e);
	if (!rc)
		rc = file_replace_at(AT_FDCWD, ROLLED_BACK_PATH, "", 0, 0600, e);
	if (rc < 0)
		return rc;
	let_in(m, other);
	if (m->store >= 0)
		store_fail_slot(m->store, running, "a person rolled it back", NULL);
	return slots_write_state(&m->slots, &m->state, e);
}

int command_rollback(int argc, char **argv)
{
	bool reboot = command_flag(&argc, argv, "--reboot");
	automachine struct machine m = { .store = -1 };
	struct err e = { "" };

	if (!command_words(argc, argv, 0, 0))
		return EXIT_USAGE;
	if (machine_open(&m, &e) < 0 || roll_back(&m, &e) < 0)
		return command_failed(&e);
	log_info("the next boot is slot %c's", slot_letter(slot_other(m.slots.running)));
	if (reboot && command_reboot(&e) < 0)
		return command_failed(&e);
	return EXIT_OK;
}

int command_forget(int argc, char **argv)
{
	automachine struct machine m = { .store = -1 };
	struct err e = { "" };
	int forgotten;

	if (!command_words(argc, argv, 0, 1))
		return EXIT_USAGE;
	m.store = store_open(STORE_PATH, &e);
	forgotten = m.store < 0 ? m.store : store_forget(m.store, argc > 1 ? argv[1] : NULL, &e);
	if (forgotten < 0)
		return command_failed(&e);
	log_info("%d refused version%s forgotten", forgotten, forgotten == 1 ? "" : "s");
	return EXIT_OK;
}
