/* The state table, row by row, and what it never allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "engine/state.h"

static void transitions(void **state)
{
	static const struct {
		enum container_state from;
		enum container_event event;
		enum container_state to;
		enum container_action action;
	} rows[] = {
		{ STATE_CREATED, EVENT_START, STATE_STARTING, ACTION_START },
		{ STATE_CREATED, EVENT_STOP, STATE_CREATED, ACTION_ALREADY },
		{ STATE_CREATED, EVENT_REMOVE, STATE_DEAD, ACTION_DELETE },
		{ STATE_CREATED, EVENT_PAUSE, STATE_CREATED, ACTION_REFUSE },
		{ STATE_STARTING, EVENT_STARTED, STATE_RUNNING, ACTION_NOTE_START },
		{ STATE_STARTING, EVENT_START, STATE_STARTING, ACTION_IGNORE },
		{ STATE_STARTING, EVENT_STOP, STATE_STOPPING, ACTION_ABORT_START },
		{ STATE_STARTING, EVENT_EXIT, STATE_EXITED, ACTION_NOTE_EXIT },
		{ STATE_STARTING, EVENT_EXIT_AGAIN, STATE_RESTARTING, ACTION_BACK_OFF },
		{ STATE_STARTING, EVENT_REMOVE, STATE_STARTING, ACTION_REFUSE },
		{ STATE_RUNNING, EVENT_START, STATE_RUNNING, ACTION_ALREADY },
		{ STATE_RUNNING, EVENT_STOP, STATE_STOPPING, ACTION_SIGNAL },
		{ STATE_RUNNING, EVENT_EXIT, STATE_EXITED, ACTION_NOTE_EXIT },
		{ STATE_RUNNING, EVENT_EXIT_AGAIN, STATE_RESTARTING, ACTION_BACK_OFF },
		{ STATE_RUNNING, EVENT_PAUSE, STATE_PAUSED, ACTION_FREEZE },
		{ STATE_RUNNING, EVENT_UNPAUSE, STATE_RUNNING, ACTION_REFUSE },
		{ STATE_RUNNING, EVENT_REMOVE, STATE_RUNNING, ACTION_REFUSE },
		{ STATE_PAUSED, EVENT_START, STATE_PAUSED, ACTION_REFUSE },
		{ STATE_PAUSED, EVENT_UNPAUSE, STATE_RUNNING, ACTION_THAW },
		{ STATE_PAUSED, EVENT_STOP, STATE_STOPPING, ACTION_THAW_SIGNAL },
		{ STATE_PAUSED, EVENT_EXIT, STATE_EXITED, ACTION_NOTE_EXIT },
		{ STATE_STOPPING, EVENT_EXIT, STATE_EXITED, ACTION_NOTE_EXIT },
		{ STATE_STOPPING, EVENT_EXIT_AGAIN, STATE_EXITED, ACTION_NOTE_EXIT },
		{ STATE_STOPPING, EVENT_STARTED, STATE_STOPPING, ACTION_IGNORE },
		{ STATE_STOPPING, EVENT_START, STATE_STOPPING, ACTION_REFUSE },
		{ STATE_RESTARTING, EVENT_BACKOFF_OVER, STATE_STARTING, ACTION_START },
		{ STATE_RESTARTING, EVENT_START, STATE_STARTING, ACTION_START },
		{ STATE_RESTARTING, EVENT_STOP, STATE_EXITED, ACTION_GIVE_UP },
		{ STATE_RESTARTING, EVENT_REMOVE, STATE_RESTARTING, ACTION_REFUSE },
		{ STATE_EXITED, EVENT_START, STATE_STARTING, ACTION_START },
		{ STATE_EXITED, EVENT_STOP, STATE_EXITED, ACTION_ALREADY },
		{ STATE_EXITED, EVENT_BACKOFF_OVER, STATE_EXITED, ACTION_REFUSE },
		{ STATE_EXITED, EVENT_REMOVE, STATE_DEAD, ACTION_DELETE },
		{ STATE_DEAD, EVENT_START, STATE_DEAD, ACTION_REFUSE },
		{ STATE_DEAD, EVENT_REMOVE, STATE_DEAD, ACTION_DELETE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct transition t = state_next(rows[i].from, rows[i].event);

		assert_int_equal(t.next, rows[i].to);
		assert_int_equal(t.action, rows[i].action);
	}
}

/* Whatever happens: no second start of what lives, and a refusal changes nothing. */
static void every_cell_is_sound(void **state)
{
	(void)state;
	for (int s = 0; s < STATE_COUNT; s++) {
		for (int ev = 0; ev < EVENT_COUNT; ev++) {
			struct transition t = state_next((enum container_state)s,
							 (enum container_event)ev);

			if (t.action == ACTION_REFUSE || t.action == ACTION_ALREADY ||
			    t.action == ACTION_IGNORE)
				assert_int_equal(t.next, s);
			if (t.action == ACTION_START)
				assert_true(s == STATE_CREATED || s == STATE_EXITED ||
					    s == STATE_RESTARTING);
			assert_in_range(t.next, 0, STATE_COUNT - 1);
		}
	}
}

static void names_come_back(void **state)
{
	(void)state;
	for (int s = 0; s < STATE_COUNT; s++) {
		enum container_state back = STATE_COUNT;

		assert_int_equal(state_parse(state_name((enum container_state)s), &back), 0);
		assert_int_equal(back, s);
	}
	assert_int_equal(state_parse("sleeping", &(enum container_state){ 0 }), -EINVAL);
	assert_int_equal(state_parse(NULL, &(enum container_state){ 0 }), -EINVAL);
	assert_string_equal(state_docker_name(STATE_STOPPING), "running");
	assert_string_equal(state_docker_name(STATE_STARTING), "created");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transitions),
		cmocka_unit_test(every_cell_is_sound),
		cmocka_unit_test(names_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
