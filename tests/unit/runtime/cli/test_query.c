/* Filters and times as the API wants them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/query.h"

static void filters_become_json(void **state)
{
	const struct cli_list list = { { "name=web", "label!=a=b", "name=db" }, 3 };
	const struct cli_list bad = { { "name" }, 1 }, none = { .count = 0 };
	autobuf struct buf out = { 0 }, empty = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(query_filters(&out, &list, &e), 0);
	assert_string_equal(buf_text(&out), "&filters=%7B%22name%22%3A%5B%22web%22%2C%22db%22%5D%2C"
					    "%22label%21%22%3A%5B%22a%3Db%22%5D%7D");
	assert_int_equal(query_filters(&empty, &none, &e), 0);
	assert_string_equal(buf_text(&empty), "");
	assert_int_equal(query_filters(&empty, &bad, &e), -EINVAL);
	assert_non_null(strstr(e.text, "expected name=value"));
}

static void times_are_ago_or_as_they_are(void **state)
{
	autobuf struct buf ago = { 0 }, point = { 0 };
	int64_t now = clock_wall_ns() / 1000000000;

	(void)state;
	query_time(&ago, "since", "1h");
	assert_int_equal(strncmp(buf_text(&ago), "&since=", 7), 0);
	assert_in_range(now - strtoll(buf_text(&ago) + 7, NULL, 10), 3599, 3601);
	query_time(&point, "until", "2026-11-24T00:00:00Z");
	query_time(&point, "since", NULL);
	assert_string_equal(buf_text(&point), "&until=2026-11-24T00%3A00%3A00Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_become_json),
		cmocka_unit_test(times_are_ago_or_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
