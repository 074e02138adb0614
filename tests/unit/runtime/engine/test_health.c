/* Docker's states of a health check; what one engine leaves to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/health.h"

/* One letter a probe, each a second after the one before. 'o': ends with 0, 'x': with 1. What comes
 * of it: s(tarting), h(ealthy), u(nhealthy); an upper case letter where that is news. */
static const struct {
	const char *name, *probes, *states;
	int retries, start_period_ms;
} rows[] = {
	{ "well at once", "ooo", "Hhh", 3, 0 },
	{ "one failure is none", "oxoxo", "Hhhhh", 3, 0 },
	{ "never well", "xxxx", "ssUu", 3, 0 },
	{ "ill, then well", "oxxxo", "HhhUH", 3, 0 },
	{ "one retry", "xox", "UHU", 1, 0 },
	{ "forgiven in the beginning", "xxxxxx", "ssssUu", 2, 3000 },
	{ "well in the beginning ends it", "xoxx", "sHhU", 2, 60000 },
};

static void docker_s_states(void **state)
{
	static const char letters[] = { [HEALTH_STARTING] = 's', [HEALTH_HEALTHY] = 'h',
					[HEALTH_UNHEALTHY] = 'u' };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct health *h = calloc(1, sizeof(*h));

		h->plan.retries = rows[i].retries;
		h->plan.start_period_ms = rows[i].start_period_ms;
		for (int n = 0; rows[i].probes[n]; n++) {
			struct health_result r = { .exit_code = rows[i].probes[n] == 'x',
						   .output = strdup("said") };
			bool news = health_note(h, &r, n * 1000);
			char got = letters[h->status];

			if ((news ? got - 32 : got) != rows[i].states[n])
				fail_msg("%s: probe %d: %c, news %d", rows[i].name, n, got, news);
		}
		assert_true(h->log_count <= HEALTH_LOG_MOST);
		health_free(h);
	}
}

static void when_the_next_is_due(void **state)
{
	struct health h = { .plan = { .interval_ms = 30000, .start_interval_ms = 5000,
				      .start_period_ms = 60000 } };

	(void)state;
	assert_int_equal(health_wait_ms(&h, 0), 5000);
	assert_int_equal(health_wait_ms(&h, 60000), 30000);
	h.status = HEALTH_HEALTHY;
	assert_int_equal(health_wait_ms(&h, 0), 30000);
	health_reset(&h);
	assert_int_equal(health_wait_ms(&h, 0), 5000);
}

static void an_engine_leaves_it_to_the_next(void **state)
{
	struct health *h = calloc(1, sizeof(*h)), *back = calloc(1, sizeof(*back));
	autobuf struct buf text = { 0 };

	(void)state;
	h->plan.retries = back->plan.retries = 3;
	for (int n = 0; n < 7; n++) {
		struct health_result r = { .start_ns = n, .end_ns = n + 1, .exit_code = n < 2 ? 0 : -1,
					   .output = strdup(n == 5 ? "caf\xe9" : "\"late\"\n") };

		health_note(h, &r, 0);
	}
	health_write(h, &text);
	assert_int_equal(health_read(back, buf_text(&text), text.len), 0);
	assert_int_equal(back->status, HEALTH_UNHEALTHY);
	assert_int_equal(back->streak, 5);
	assert_int_equal(back->log_count, 5);
	assert_int_equal(back->log[0].start_ns, 2);
	assert_int_equal(back->log[4].exit_code, -1);
	/* A probe prints what it likes, and is cut in the middle of a character. */
	assert_string_equal(back->log[3].output, "caf\xef\xbf\xbd");
	assert_string_equal(back->log[4].output, "\"late\"\n");
	health_free(h);
	health_free(back);
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "{", "[]", "{}", "{\"status\":\"fine\"}", "{\"status\":\"healthy\",\"log\":3}",
		"{\"status\":\"healthy\",\"log\":[{},{},{},{},{},{}]}",
	};
	struct health h = { .status = HEALTH_STARTING };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_true(health_read(&h, texts[i], strlen(texts[i])) < 0);
	assert_int_equal(h.status, HEALTH_STARTING);
	assert_int_equal(h.log_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(docker_s_states),
		cmocka_unit_test(when_the_next_is_due),
		cmocka_unit_test(an_engine_leaves_it_to_the_next),
		cmocka_unit_test(what_is_no_record_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
