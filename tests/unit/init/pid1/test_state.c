/* The services' state x event table, back-off, and what an end means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "pid1/state.h"

static const struct {
	char letter;
	enum svc_event event;
} letters[] = {
	{ 'g', SVC_GO },     { 'k', SVC_SKIP },      { 'r', SVC_READY },     { 'o', SVC_END_OK },
	{ 'e', SVC_END_RETRY }, { 'f', SVC_END_FINAL }, { 'l', SVC_LATE },  { 'v', SVC_OVERDUE },
	{ 'a', SVC_AGAIN },  { 'S', SVC_START },     { 'X', SVC_STOP },      { 'R', SVC_RESTART },
};

/* Lives of services: events as letters, where they lead from "waiting", and the last action. */
static const struct {
	const char *events;
	enum svc_state state;
	enum svc_action action;
} lives[] = {
	{ "g", SVC_STARTING, SVC_DO_SPAWN },
	{ "k", SVC_OFF, SVC_DO_SKIP },
	{ "gr", SVC_RUNNING, SVC_DO_READY },
	{ "go", SVC_DONE, SVC_DO_DONE },
	{ "gf", SVC_FAILED, SVC_DO_FAIL },
	{ "ge", SVC_BACKOFF, SVC_DO_RETRY },
	{ "gea", SVC_STARTING, SVC_DO_SPAWN },
	{ "gre", SVC_BACKOFF, SVC_DO_RETRY },     /* kill -9 of a running one */
	{ "grear", SVC_RUNNING, SVC_DO_READY },   /* ... brings it back */
	{ "gl", SVC_STARTING, SVC_DO_LATE },      /* late, and still wanted */
	{ "glr", SVC_RUNNING, SVC_DO_READY },
	{ "gv", SVC_STARTING, SVC_DO_KILL },      /* a oneshot that hangs; its end follows */
	{ "gvf", SVC_FAILED, SVC_DO_FAIL },
	{ "grX", SVC_STOPPING, SVC_DO_TERM },
	{ "grXe", SVC_STOPPED, SVC_DO_STOPPED },
	{ "grXv", SVC_STOPPING, SVC_DO_KILL },
	{ "grXvv", SVC_STOPPING, SVC_DO_KILL },   /* hangs in the kernel: told again */
	{ "grXve", SVC_STOPPED, SVC_DO_STOPPED },
	{ "grXeS", SVC_STARTING, SVC_DO_SPAWN },
	{ "grR", SVC_RESTARTING, SVC_DO_TERM },
	{ "grRe", SVC_STARTING, SVC_DO_SPAWN },   /* at once: no back-off for a request */
	{ "grRX", SVC_STOPPING, SVC_NOTHING },    /* the later request wins */
	{ "grXS", SVC_RESTARTING, SVC_NOTHING },
	{ "geX", SVC_STOPPED, SVC_DO_STOPPED },   /* stopped while it waits to come back */
	{ "geXa", SVC_STOPPED, SVC_NOTHING },     /* ... a timer that fires all the same does nothing */
	{ "geS", SVC_STARTING, SVC_DO_SPAWN },
	{ "X", SVC_STOPPED, SVC_DO_STOPPED },     /* shutdown before it ever began */
	{ "kS", SVC_STARTING, SVC_DO_SPAWN },     /* by hand, the condition is not asked */
	{ "goS", SVC_STARTING, SVC_DO_SPAWN },    /* a oneshot again */
	{ "grr", SVC_RUNNING, SVC_NOTHING },      /* says ready twice */
	{ "gro", SVC_DONE, SVC_DO_DONE },         /* a task; daemons never end "ok" (svc_end_event) */
	{ "grg", SVC_RUNNING, SVC_NOTHING },
	{ "grS", SVC_RUNNING, SVC_NOTHING },      /* start of what runs */
};

static enum svc_event event_of(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (letters[i].letter == letter)
			return letters[i].event;
	fail_msg("no event has the letter '%c'", letter);
	return SVC_EVENT_COUNT;
}

static void lives_lead_where_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		struct svc_step step = { SVC_WAITING, SVC_NOTHING };

		for (const char *p = lives[i].events; *p; p++)
			step = svc_next(step.next, event_of(*p));
		if (step.next != lives[i].state || step.action != lives[i].action)
			fail_msg("\"%s\" leads to %s with action %d", lives[i].events,
				 svc_state_name(step.next), step.action);
	}
}

/* Whatever happens in whatever order: the next state is one, a process is only spawned where there
 * is none, and only signalled where there is one. */
static void every_cell_is_sane(void **state)
{
	(void)state;
	for (int s = 0; s < SVC_STATE_COUNT; s++)
		for (int v = 0; v < SVC_EVENT_COUNT; v++) {
			struct svc_step step = svc_next(s, v);
			bool ends = v == SVC_END_OK || v == SVC_END_RETRY || v == SVC_END_FINAL;

			assert_in_range(step.next, 0, SVC_STATE_COUNT - 1);
			if (step.action == SVC_DO_SPAWN) {
				assert_int_equal(step.next, SVC_STARTING);
				assert_true(!svc_is_alive(s) || ends);
			}
			if (step.action == SVC_DO_TERM || step.action == SVC_DO_KILL) {
				assert_true(svc_is_alive(s));
				assert_true(svc_is_alive(step.next));
			}
			/* The end of a process is never overlooked in a state that has one, except
			 * "ok" of a ready daemon, which cannot be. */
			if (ends && svc_is_alive(s))
				assert_int_not_equal(step.action, SVC_NOTHING);
		}
}

/* A shutdown comes to an end from every state. */
static void stop_leads_to_stopped(void **state)
{
	(void)state;
	for (int s = 0; s < SVC_STATE_COUNT; s++) {
		enum svc_state now = svc_next(s, SVC_STOP).next;

		if (svc_is_alive(now))
			now = svc_next(now, SVC_END_RETRY).next;
		if (now != SVC_STOPPED)
			fail_msg("from %s a stop leads to %s", svc_state_name(s),
				 svc_state_name(now));
	}
}

static void ends_mean(void **state)
{
	static const struct {
		enum svc_kind kind;
		int exit_code;
		unsigned tries, max_tries;
		enum svc_event event;
	} rows[] = {
		{ SVC_DAEMON, 0, 1, 0, SVC_END_RETRY },
		{ SVC_DAEMON, 137, 50, 0, SVC_END_RETRY },
		{ SVC_TASK, 0, 1, 0, SVC_END_OK },
		{ SVC_TASK, 1, 7, 0, SVC_END_RETRY },
		{ SVC_ONESHOT, 0, 1, 1, SVC_END_OK },
		{ SVC_ONESHOT, 1, 1, 1, SVC_END_FINAL },
		{ SVC_ONESHOT, 1, 1, 3, SVC_END_RETRY },
		{ SVC_ONESHOT, 139, 2, 3, SVC_END_RETRY },
		{ SVC_ONESHOT, -2, 3, 3, SVC_END_FINAL },
		{ SVC_ONESHOT, 1, 1000, 0, SVC_END_RETRY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(svc_end_event(rows[i].kind, rows[i].exit_code, rows[i].tries,
					       rows[i].max_tries), rows[i].event);
}

static void back_off_doubles_to_its_bound(void **state)
{
	static const struct {
		unsigned failures;
		int64_t ms;
	} rows[] = {
		{ 0, 100 },    { 1, 100 },    { 2, 200 },    { 3, 400 },        { 8, 12800 },
		{ 9, 25600 },  { 10, 30000 }, { 11, 30000 }, { 4000000000u, 30000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(svc_backoff_ms(rows[i].failures), rows[i].ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_lead_where_they_should),
		cmocka_unit_test(every_cell_is_sane),
		cmocka_unit_test(stop_leads_to_stopped),
		cmocka_unit_test(ends_mean),
		cmocka_unit_test(back_off_doubles_to_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
