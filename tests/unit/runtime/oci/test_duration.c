#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "oci/duration.h"

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} cases[] = {
		{ "5s", 5000 },	  { "300ms", 300 }, { "1m30s", 90000 }, { "1.5h", 5400000 },
		{ "0s", 0 },	  { "900us", 0 },   { "", -1 },		{ "5", -1 },
		{ "s", -1 },	  { "-5s", -1 },    { "5x", -1 },	{ "1.2.3s", -1 },
		{ "1e3s", -1 },	  { "5s ", -1 },    { "99999h", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = -1;

		assert_int_equal(duration_parse(cases[i].text, &ms), cases[i].ms < 0 ? -EINVAL : 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
