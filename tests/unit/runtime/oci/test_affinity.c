#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/affinity.h"

/* A list, and the first two words of the mask; error: refused. */
static const struct {
	const char *text;
	bool error;
	unsigned long words[2];
} rows[] = {
	{ "0", false, { 1, 0 } },
	{ "0-3,7", false, { 0x8f, 0 } },
	{ "7,0-3", false, { 0x8f, 0 } },
	{ "1,1,1", false, { 2, 0 } },
	{ "63-64", false, { 1ul << 63, 1 } },
	{ "8191", false, { 0, 0 } },
	{ "", true, { 0, 0 } },
	{ "8192", true, { 0, 0 } },
	{ "0-99999999999999999999", true, { 0, 0 } },
	{ "3-1", true, { 0, 0 } },
	{ "1-", true, { 0, 0 } },
	{ "-1", true, { 0, 0 } },
	{ "1,", true, { 0, 0 } },
	{ ",1", true, { 0, 0 } },
	{ "1 ,2", true, { 0, 0 } },
	{ "all", true, { 0, 0 } },
};

static void lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct affinity got;
		struct err e = { 0 };
		int rc = affinity_parse(rows[i].text, "key", &got, &e);

		assert_int_equal(rc, rows[i].error ? -EINVAL : 0);
		if (rows[i].error)
			assert_non_null(strstr(e.text, "is no list of processors"));
		else
			assert_memory_equal(got.bits, rows[i].words, sizeof(rows[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
