/* May a container start, and who waits for himself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/dependency.h"

#define F(...) { __VA_ARGS__ }

static const struct {
	struct dependency_facts facts;
	enum dependency started, healthy, completed;
	const char *why; /* of the last that says never */
} dependencies[] = {
#define R DEPENDENCY_READY
#define W DEPENDENCY_WAITS
#define N DEPENDENCY_NEVER
	{ F(.state = STATE_CREATED, .to_start = true), W, W, W, "" },
	{ F(.state = STATE_EXITED, .to_start = true, .exit_code = 1), W, W, W, "" },
	{ F(.state = STATE_CREATED), N, N, N, "does not run" },
	{ F(.state = STATE_STARTING), W, W, W, "" },
	{ F(.state = STATE_RUNNING, .ran = true), R, N, W, "has no health check" },
	{ F(.state = STATE_RUNNING, .ran = true, .has_check = true), R, W, W, "" },
	{ F(.state = STATE_RUNNING, .ran = true, .has_check = true, .health = HEALTH_HEALTHY), R, R, W, "" },
	{ F(.state = STATE_RUNNING, .ran = true, .has_check = true, .health = HEALTH_UNHEALTHY), R, W, W, "" },
	{ F(.state = STATE_RESTARTING, .ran = true, .exit_code = 1), R, W, W, "" },
	{ F(.state = STATE_EXITED, .ran = true), R, N, R, "does not run" },
	{ F(.state = STATE_EXITED, .ran = true, .exit_code = 3), R, N, N, "ended with code 3" },
	{ F(.state = STATE_EXITED, .failed = true, .exit_code = 127), N, N, N, "could not be started" },
	{ F(.state = STATE_STOPPING, .ran = true), R, N, W, "does not run" },
#undef R
#undef W
#undef N
};

static void what_may_start(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dependencies); i++) {
		const struct dependency_facts *f = &dependencies[i].facts;
		char why[DEPENDENCY_WHY_MAX] = "";

		assert_int_equal(dependency_judge(f, NEED_STARTED, why), dependencies[i].started);
		assert_int_equal(dependency_judge(f, NEED_HEALTHY, why), dependencies[i].healthy);
		assert_int_equal(dependency_judge(f, NEED_COMPLETED, why), dependencies[i].completed);
		assert_string_equal(why, dependencies[i].why);
	}
}

/* "01 12 20": 0 waits for 1 and so on; "-": for nobody that counts. */
static bool next_of(void *arg, size_t node, size_t nth, size_t *on)
{
	for (const char *pair = arg; *pair; pair += pair[2] ? 3 : 2) {
		if ((size_t)(pair[0] - '0') != node || nth--)
			continue;
		*on = pair[1] == '-' ? 6 : (size_t)(pair[1] - '0');
		return true;
	}
	return false;
}

static void circles(void **state)
{
	static const struct { const char *pairs, *circles; } rows[] = {
		{ "", "......" },
		{ "00", "x....." },
		{ "01 10", "xx...." },
		{ "01 12 20", "xxx..." },
		{ "01 12 23 34 45", "......" },
		{ "01 02 13 23", "......" },
		{ "0- 01 1-", "......" },
		/* It leads to a circle and is no part of it. */
		{ "01 12 21", ".xx..." },
		{ "01 10 23 32 42", "xxxx.." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t node = 0; node < 6; node++)
			if (dependency_in_circle(node, 6, next_of, (void *)(uintptr_t)rows[i].pairs) !=
			    (rows[i].circles[node] == 'x'))
				fail_msg("\"%s\", %zu", rows[i].pairs, node);
}

/* Layers of three, each of which waits for all of the next: 3^99 ways through. */
static bool next_layer(void *arg, size_t node, size_t nth, size_t *on)
{
	(void)arg;
	*on = (node / 3 + 1) * 3 + nth;
	return nth < 3 && *on < 300;
}

static void many_ways_are_no_trouble(void **state)
{
	(void)state;
	alarm(60);
	assert_false(dependency_in_circle(0, 300, next_layer, NULL));
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_start),
		cmocka_unit_test(circles),
		cmocka_unit_test(many_ways_are_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
