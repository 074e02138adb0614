/* What an automatic update does next: one row a situation. And turns in a roll-out, and pauses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "update/auto.h"
#include "update/rollout.h"

enum { DUE = 1, NO_CLOCK = 2 }; /* the channel is to be asked; the clock is not set */
enum { NOW_MS = 5000000, NOW_S = 1800000000, LATER_MS = NOW_MS + 20000, LATER_S = NOW_S + 3000 };

/* Nothing is in the way, unless the row says so. */
#define AT(l, o) .level = AUTO_##l, .offer = OFFER_##o

static const struct {
	const char *name;
	struct auto_view view;
	enum auto_act act;
	enum auto_why why;
	int64_t until_s;
	unsigned but;
} rows[] = {
	{ "off", { AT(OFF, NONE) }, ACT_END, WHY_OFF, 0, 0 },
	{ "off, whatever there is", { AT(OFF, INSTALLED) }, ACT_END, WHY_OFF, 0, DUE },
	{ "first look", { AT(CHECK, NONE) }, ACT_CHECK, WHY_UNKNOWN, 0, DUE },
	{ "the channel does not answer", { AT(REBOOT, NONE) }, ACT_WAIT, WHY_UNKNOWN, 0, 0 },
	{ "nothing new", { AT(REBOOT, RUNNING) }, ACT_WAIT, WHY_NEWEST, 0, 0 },
	{ "refused", { AT(REBOOT, REFUSED) }, ACT_WAIT, WHY_REFUSED, 0, 0 },
	{ "look again", { AT(REBOOT, REFUSED) }, ACT_CHECK, WHY_UNKNOWN, 0, DUE },
	/* how far it goes */
	{ "check", { AT(CHECK, NEW) }, ACT_WAIT, WHY_AVAILABLE, 0, 0 },
	{ "check, fetched by hand", { AT(CHECK, FETCHED) }, ACT_WAIT, WHY_AVAILABLE, 0, 0 },
	{ "fetch", { AT(FETCH, NEW) }, ACT_FETCH, WHY_AVAILABLE, 0, 0 },
	{ "fetch, done", { AT(FETCH, FETCHED) }, ACT_WAIT, WHY_FETCHED, 0, 0 },
	{ "install", { AT(INSTALL, NEW) }, ACT_INSTALL, WHY_AVAILABLE, 0, 0 },
	{ "install what is fetched", { AT(INSTALL, FETCHED) }, ACT_INSTALL, WHY_AVAILABLE, 0, 0 },
	{ "install, done", { AT(INSTALL, INSTALLED) }, ACT_WAIT, WHY_INSTALLED, 0, 0 },
	{ "reboot, not installed", { AT(REBOOT, NEW) }, ACT_INSTALL, WHY_AVAILABLE, 0, 0 },
	{ "reboot", { AT(REBOOT, INSTALLED) }, ACT_REBOOT, WHY_REBOOT, 0, 0 },
	{ "reboot, on its way", { AT(REBOOT, INSTALLED), .rebooting = true }, ACT_WAIT,
	  WHY_REBOOT, 0, DUE },
	{ "it failed a moment ago", { AT(REBOOT, NEW), .try_ms = LATER_MS }, ACT_WAIT, WHY_RETRY, NOW_S + 20, 0 },
	/* the gate */
	{ "on trial", { AT(REBOOT, NEW), .on_trial = true }, ACT_WAIT, WHY_TRIAL, 0, DUE },
	{ "on trial, off", { AT(OFF, NONE), .on_trial = true }, ACT_WAIT, WHY_TRIAL, 0, 0 },
	{ "a fall-back that is not noted", { AT(REBOOT, NEW), .unsettled = true }, ACT_WAIT,
	  WHY_SETTLE, 0, DUE },
	/* roll-out */
	{ "its turn has not come", { AT(REBOOT, NEW), .turn_s = LATER_S }, ACT_WAIT, WHY_TURN, LATER_S, 0 },
	{ "its turn is now", { AT(REBOOT, NEW), .turn_s = NOW_S }, ACT_INSTALL, WHY_AVAILABLE, 0, 0 },
	{ "its turn, fetch", { AT(FETCH, NEW), .turn_s = LATER_S }, ACT_WAIT, WHY_TURN, LATER_S, 0 },
	{ "by a clock that is not set", { AT(REBOOT, NEW), .turn_s = 1 }, ACT_WAIT,
	  WHY_CLOCK, 0, NO_CLOCK },
	{ "no roll-out needs no clock", { AT(REBOOT, NEW) }, ACT_INSTALL,
	  WHY_AVAILABLE, 0, NO_CLOCK },
	{ "an installed one had its turn", { AT(REBOOT, INSTALLED), .turn_s = LATER_S }, ACT_REBOOT,
	  WHY_REBOOT, 0, 0 },
	/* windows */
	{ "closed", { AT(REBOOT, INSTALLED), .has_windows = true, .window_s = LATER_S }, ACT_WAIT,
	  WHY_WINDOW, LATER_S, 0 },
	{ "open", { AT(REBOOT, INSTALLED), .has_windows = true, .window_open = true }, ACT_REBOOT,
	  WHY_REBOOT, 0, 0 },
	{ "open by a clock that is not set",
	  { AT(REBOOT, INSTALLED), .has_windows = true, .window_open = true }, ACT_WAIT,
	  WHY_CLOCK, 0, NO_CLOCK },
	{ "no window needs no clock", { AT(REBOOT, INSTALLED) }, ACT_REBOOT,
	  WHY_REBOOT, 0, NO_CLOCK },
	{ "closed, but installing is no reboot", { AT(REBOOT, NEW), .has_windows = true }, ACT_INSTALL,
	  WHY_AVAILABLE, 0, 0 },
	{ "closed, and no lock is asked for",
	  { AT(REBOOT, INSTALLED), .has_windows = true, .window_s = LATER_S, .lock_wanted = true }, ACT_WAIT,
	  WHY_WINDOW, LATER_S, 0 },
	/* the lock */
	{ "take it", { AT(REBOOT, INSTALLED), .lock_wanted = true }, ACT_LOCK, WHY_LOCK, 0, 0 },
	{ "refused a moment ago", { AT(REBOOT, INSTALLED), .lock_wanted = true, .lock_ms = LATER_MS },
	  ACT_WAIT, WHY_LOCK, NOW_S + 20, 0 },
	{ "the answer got lost", { AT(REBOOT, INSTALLED), .lock_wanted = true, .lock = LOCK_ASKED,
				   .lock_ms = LATER_MS }, ACT_WAIT, WHY_LOCK, NOW_S + 20, 0 },
	{ "... ask again", { AT(REBOOT, INSTALLED), .lock_wanted = true, .lock = LOCK_ASKED }, ACT_LOCK,
	  WHY_LOCK, 0, 0 },
	{ "held", { AT(REBOOT, INSTALLED), .lock_wanted = true, .lock = LOCK_HELD }, ACT_REBOOT,
	  WHY_REBOOT, 0, 0 },
	{ "held: the reboot comes before the channel",
	  { AT(REBOOT, INSTALLED), .lock_wanted = true, .lock = LOCK_HELD }, ACT_REBOOT,
	  WHY_REBOOT, 0, DUE },
	{ "held, and rebooting", { AT(REBOOT, INSTALLED), .lock_wanted = true, .lock = LOCK_HELD,
				   .rebooting = true }, ACT_WAIT, WHY_REBOOT, 0, 0 },
	{ "held, but the window closed",
	  { AT(REBOOT, INSTALLED), .lock_wanted = true, .lock = LOCK_HELD, .has_windows = true }, ACT_RELEASE,
	  WHY_RELEASE, 0, 0 },
	{ "asked for, but the version was withdrawn",
	  { AT(REBOOT, RUNNING), .lock_wanted = true, .lock = LOCK_ASKED }, ACT_RELEASE, WHY_RELEASE, 0, 0 },
	{ "held, but a newer version is there", { AT(REBOOT, NEW), .lock_wanted = true, .lock = LOCK_HELD },
	  ACT_RELEASE, WHY_RELEASE, 0, 0 },
	{ "held over the reboot, on trial", { AT(REBOOT, NONE), .lock = LOCK_STALE, .on_trial = true },
	  ACT_WAIT, WHY_TRIAL, 0, 0 },
	{ "... confirmed, or back", { AT(REBOOT, NONE), .lock = LOCK_STALE }, ACT_RELEASE, WHY_RELEASE, 0, 0 },
	{ "... the version is refused now", { AT(REBOOT, REFUSED), .lock = LOCK_STALE }, ACT_RELEASE,
	  WHY_RELEASE, 0, 0 },
	{ "... the server is away, the rest goes on",
	  { AT(REBOOT, NEW), .lock = LOCK_STALE, .release_ms = LATER_MS }, ACT_INSTALL, WHY_AVAILABLE, 0, 0 },
	{ "... but not to a reboot", { AT(REBOOT, INSTALLED), .lock_wanted = true, .lock = LOCK_STALE,
				       .release_ms = LATER_MS }, ACT_WAIT, WHY_RELEASE, NOW_S + 20, 0 },
	{ "... nor when no lock is wanted any more",
	  { AT(REBOOT, INSTALLED), .lock = LOCK_STALE, .release_ms = LATER_MS }, ACT_WAIT, WHY_RELEASE,
	  NOW_S + 20, 0 },
	{ "it goes back before another is taken", { AT(REBOOT, INSTALLED), .lock_wanted = true,
						    .lock = LOCK_STALE }, ACT_RELEASE, WHY_RELEASE, 0, 0 },
	{ "switched off with a lock", { AT(OFF, NONE), .lock = LOCK_STALE }, ACT_RELEASE, WHY_RELEASE, 0, 0 },
	{ "... whose server is away", { AT(OFF, NONE), .lock = LOCK_STALE, .release_ms = LATER_MS }, ACT_WAIT,
	  WHY_RELEASE, NOW_S + 20, 0 },
};

static void test_what_is_done_next(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct auto_view v = rows[i].view;
		struct auto_plan p;

		v.now_ms = NOW_MS;
		v.now_s = NOW_S;
		v.clock_set = !(rows[i].but & NO_CLOCK);
		v.check_ms = rows[i].but & DUE ? NOW_MS : LATER_MS + 1000000;
		p = auto_decide(&v);
		if (p.act != rows[i].act || p.why != rows[i].why || p.until_s != rows[i].until_s)
			fail_msg("%s: act %d, why %s, until %lld", rows[i].name, p.act, auto_why_name(p.why),
				 (long long)p.until_s);
		if (p.act == ACT_WAIT && (p.wake_ms <= NOW_MS || p.wake_ms > NOW_MS + 60000))
			fail_msg("%s: looks again after %lld ms", rows[i].name, (long long)p.wake_ms - NOW_MS);
	}
}

/* Whatever the situation: a machine never reboots without the lock that it wants, in a closed
 * window, on trial, by a clock that is not set; nor does the service spin. */
static void test_no_situation_reboots_that_should_not(void **unused)
{
	int reboots = 0;

	(void)unused;
	srand(7);
	for (int i = 0; i < 200000; i++) {
		struct auto_view v = {
			.now_ms = NOW_MS, .now_s = NOW_S, .level = (enum auto_level)(rand() % AUTO_LEVEL_COUNT),
			.offer = (enum auto_offer)(rand() % (OFFER_INSTALLED + 1)),
			.lock = (enum auto_lock)(rand() % (LOCK_STALE + 1)), .clock_set = rand() % 2,
			.on_trial = rand() % 4 == 0, .unsettled = rand() % 4 == 0, .has_windows = rand() % 2,
			.window_open = rand() % 2, .lock_wanted = rand() % 2, .rebooting = rand() % 4 == 0,
			.turn_s = rand() % 2 ? NOW_S + rand() % 3 - 1 : 0, .check_ms = NOW_MS + rand() % 3 - 1,
			.try_ms = NOW_MS + rand() % 3 - 1, .lock_ms = NOW_MS + rand() % 3 - 1,
			.release_ms = NOW_MS + rand() % 3 - 1,
		};
		struct auto_plan p = auto_decide(&v);

		if (p.act == ACT_WAIT)
			assert_true(p.wake_ms > NOW_MS);
		if (p.act != ACT_REBOOT)
			continue;
		reboots++;
		assert_true(v.level == AUTO_REBOOT && v.offer == OFFER_INSTALLED && !v.rebooting);
		assert_false(v.on_trial || v.unsettled || v.lock == LOCK_STALE);
		assert_true(!v.lock_wanted || v.lock == LOCK_HELD);
		assert_true(!v.has_windows || (v.window_open && v.clock_set));
	}
	assert_in_range(reboots, 100, 20000);
}

static void test_each_reason_has_its_words(void **unused)
{
	(void)unused;
	for (int i = 0; i < WHY_COUNT; i++) {
		assert_non_null(auto_why_text((enum auto_why)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(auto_why_name((enum auto_why)i), auto_why_name((enum auto_why)j));
	}
}

/* ---- roll-out ---- */

enum { IDS = 10000, TENTHS = 10, BEGIN = 1800000000, LENGTH = 86400 };

static void make_id(int i, char out[33])
{
	snprintf(out, 33, "%032x", i * 2654435761u);
}

static void test_turns_are_spread_evenly(void **unused)
{
	const struct rollout r = { BEGIN, LENGTH };
	int tenth[TENTHS] = { 0 }, both_early = 0;

	(void)unused;
	for (int i = 0; i < IDS; i++) {
		char id[33];
		int64_t turn, other;

		make_id(i, id);
		turn = rollout_turn(&r, id, "1.0", ROLLOUT_OWN) - BEGIN;
		other = rollout_turn(&r, id, "1.1", ROLLOUT_OWN) - BEGIN;
		assert_in_range(turn, 0, LENGTH - 1);
		assert_int_equal(turn, rollout_turn(&r, id, "1.0", ROLLOUT_OWN) - BEGIN);
		tenth[turn * TENTHS / LENGTH]++;
		both_early += turn < LENGTH / TENTHS && other < LENGTH / TENTHS;
	}
	/* A thousand each; five standard deviations are 150. */
	for (int i = 0; i < TENTHS; i++)
		assert_in_range(tenth[i], IDS / TENTHS - 150, IDS / TENTHS + 150);
	/* Who is among the first tenth for one version is so for the next by chance only. */
	assert_in_range(both_early, 50, 150);
}

static void test_wariness_is_the_place(void **unused)
{
	const struct rollout r = { BEGIN, LENGTH }, none = { BEGIN, 0 };

	(void)unused;
	assert_int_equal(rollout_turn(&r, "id", "1", 0), BEGIN);
	assert_int_equal(rollout_turn(&r, "id", "1", 250000), BEGIN + LENGTH / 4);
	assert_int_equal(rollout_turn(&r, "id", "1", ROLLOUT_PPM), BEGIN + LENGTH);
	assert_int_equal(rollout_turn(&none, "id", "1", ROLLOUT_PPM), 0);
}

/* ---- pauses ---- */

static void test_pauses(void **unused)
{
	static const struct {
		unsigned failures;
		int64_t interval_ms, least, most;
	} pauses[] = {
		{ 1, 3600000, 22500, 30000 },   { 2, 3600000, 45000, 60000 },
		{ 3, 3600000, 90000, 120000 },  { 8, 3600000, 2700000, 3600000 },
		{ 99, 3600000, 2700000, 3600000 }, { 5, 10000, 7500, 10000 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++)
		for (uint32_t random = 0; random < 4000000000u; random += 99999989u)
			assert_in_range(auto_backoff_ms(pauses[i].failures, pauses[i].interval_ms, random),
					pauses[i].least, pauses[i].most);
	for (uint32_t random = 0; random < 4000000000u; random += 99999989u)
		assert_in_range(auto_interval_ms(3600000, random), 3240000, 3960000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_done_next),
		cmocka_unit_test(test_no_situation_reboots_that_should_not),
		cmocka_unit_test(test_each_reason_has_its_words),
		cmocka_unit_test(test_turns_are_spread_evenly),
		cmocka_unit_test(test_wariness_is_the_place),
		cmocka_unit_test(test_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
