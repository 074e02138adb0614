#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/human.h"
#include "cli/table.h"

static void durations(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "Less than a second" }, { 1, "1 second" }, { 59, "59 seconds" },
		{ 60, "About a minute" }, { 119, "About a minute" }, { 120, "2 minutes" },
		{ 3540, "59 minutes" }, { 3600, "About an hour" }, { 7200, "2 hours" },
		{ 47 * 3600, "47 hours" }, { 48 * 3600, "2 days" }, { 13 * 86400, "13 days" },
		{ 14 * 86400, "2 weeks" }, { 59 * 86400, "8 weeks" }, { 60 * 86400, "2 months" },
		{ 700 * 86400, "23 months" }, { 730 * 86400, "2 years" }, { -5, "Less than a second" },
	};
	char out[HUMAN_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(human_duration(rows[i].seconds, out), rows[i].text);
}

static void sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *decimal, *binary;
	} rows[] = {
		{ 0, "0B", "0 B" },
		{ 999, "999B", "999 B" },
		{ 1024, "1.02kB", "1.0 KiB" },
		{ 7812345, "7.81MB", "7.5 MiB" },
		{ 192000000, "192MB", "183 MiB" },
	};
	char out[HUMAN_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(human_size(rows[i].bytes, out), rows[i].decimal);
		assert_string_equal(human_binary(rows[i].bytes, out), rows[i].binary);
	}
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(table_width("abc"), 3);
	assert_int_equal(table_width("ab…"), 3);
	assert_int_equal(table_width(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes),
		cmocka_unit_test(widths),
	};

	return cmocka_run_group_tests_name("cli/human", tests, NULL, NULL);
}
