/* Restart policies, their back-off, signals by name, ids and names of containers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/container.h"
#include "engine/restart.h"
#include "engine/signals.h"

static void after_an_exit(void **state)
{
	static const struct {
		const char *policy;
		int64_t max;
		int exit_code;
		bool by_hand;
		int64_t restarts;
		bool again;
	} rows[] = {
		{ NULL, 0, 1, false, 0, false },
		{ "no", 0, 1, false, 0, false },
		{ "always", 0, 0, false, 0, true },
		{ "always", 0, 0, true, 0, false },
		{ "unless-stopped", 0, 1, false, 1000, true },
		{ "unless-stopped", 0, 1, true, 0, false },
		{ "on-failure", 0, 0, false, 0, false },
		{ "on-failure", 0, 1, false, 1000, true },
		{ "on-failure", 3, 1, false, 2, true },
		{ "on-failure", 3, 1, false, 3, false },
		{ "on-failure", 3, 137, true, 0, false },
		{ "sometimes", 0, 1, false, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_restart policy = { (char *)rows[i].policy, rows[i].max };
		struct restart_facts facts = { rows[i].exit_code, rows[i].by_hand,
					       rows[i].restarts };

		assert_int_equal(restart_wanted(&policy, &facts), rows[i].again);
	}
}

static void at_boot(void **state)
{
	static const struct {
		const char *policy;
		int exit_code;
		bool by_hand, declared, was_running, runs;
	} rows[] = {
		{ "no", 0, false, true, false, true },   /* declared: at each boot */
		{ "no", 0, false, false, true, false },
		{ "always", 0, true, false, false, true },
		{ "unless-stopped", 0, true, true, false, false },
		{ "unless-stopped", 0, false, false, false, true },
		{ "on-failure", 0, false, false, false, false },
		{ "on-failure", 1, false, false, false, true },
		{ "on-failure", 0, false, false, true, true },
		{ "on-failure", 1, true, false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec_restart policy = { (char *)rows[i].policy, 0 };
		struct restart_facts facts = { rows[i].exit_code, rows[i].by_hand, 0 };

		assert_int_equal(restart_at_boot(&policy, &facts, rows[i].declared,
						 rows[i].was_running), rows[i].runs);
	}
}

static void the_wait_doubles_to_a_minute(void **state)
{
	static const int64_t waits[] = {
		100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000,
	};
	int64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		ms = restart_delay_ms(ms, 9999);
		assert_int_equal(ms, waits[i]);
	}
	assert_int_equal(restart_delay_ms(ms, 10000), 100);
}

static void signals_by_name(void **state)
{
	static const struct { const char *text; int number; } rows[] = {
		{ "SIGTERM", SIGTERM }, { "term", SIGTERM }, { "9", 9 }, { "SIGQUIT", SIGQUIT },
		{ "winch", SIGWINCH }, { "SIGRTMIN", 34 }, { "RTMIN+3", 37 }, { "SIGRTMAX", 64 },
		{ "RTMAX-4", 60 }, { "", -EINVAL }, { "0", -EINVAL }, { "65", -EINVAL },
		{ "9x", -EINVAL }, { "SIGNOPE", -EINVAL }, { "RTMIN+99", -EINVAL },
		{ "RTMIN-1", -EINVAL }, { "-9", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(signal_number(rows[i].text), rows[i].number);
}

static void containers_by_name_and_id(void **state)
{
	static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const struct { const char *text; enum container_match match; } rows[] = {
		{ "web", MATCH_EXACT }, { "/web", MATCH_EXACT }, { id, MATCH_EXACT },
		{ "0123456789ab", MATCH_PREFIX }, { "0", MATCH_PREFIX }, { "we", MATCH_NONE },
		{ "", MATCH_NONE }, { "/", MATCH_NONE }, { "1", MATCH_NONE }, { "webs", MATCH_NONE },
	};
	struct container c = { .name = (char *)"web" };
	char short_id[CONTAINER_SHORT_ID_LEN + 1];

	(void)state;
	memcpy(c.id, id, sizeof(c.id));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(container_matches(&c, rows[i].text), rows[i].match);
	assert_string_equal(container_short_id(&c, short_id), "0123456789ab");
}

static void names_follow_dockers_rule(void **state)
{
	static const struct { const char *name; bool valid; } rows[] = {
		{ "web", true }, { "w1", true }, { "a_b.c-d", true }, { "0web", true },
		{ "w", false }, { "", false }, { "-web", false }, { "we b", false },
		{ "web/1", false }, { "../x", false }, { "w\xc3\xa9", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(container_name_valid(rows[i].name), rows[i].valid);
}

static void ids_are_random_and_no_numbers(void **state)
{
	char a[CONTAINER_ID_LEN + 1], b[CONTAINER_ID_LEN + 1];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(container_random_id(a), 0);
		assert_int_equal(strspn(a, "0123456789abcdef"), CONTAINER_ID_LEN);
		assert_true(strspn(a, "0123456789") < CONTAINER_SHORT_ID_LEN);
	}
	container_random_id(b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_an_exit),
		cmocka_unit_test(at_boot),
		cmocka_unit_test(the_wait_doubles_to_a_minute),
		cmocka_unit_test(signals_by_name),
		cmocka_unit_test(containers_by_name_and_id),
		cmocka_unit_test(names_follow_dockers_rule),
		cmocka_unit_test(ids_are_random_and_no_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
