/* Search results: what of a registry's answer goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fetch/search.h"

static const struct {
	const char *json, *out; /* NULL: refused */
} rows[] = {
	{ "{\"results\":[]}", "[]\n" },
	{ "{\"results\":[{\"name\":\"a\",\"description\":\"x\\ny\",\"star_count\":3,\"is_official\":true,"
	  "\"more\":1}]}",
	  "[{\"star_count\":3,\"is_official\":true,\"is_automated\":false,\"name\":\"a\","
	  "\"description\":\"x\\ny\"}]\n" },
	{ "{\"results\":[{\"name\":1},{\"name\":\"b\",\"star_count\":-1,\"description\":null}]}",
	  "[{\"star_count\":0,\"is_official\":false,\"is_automated\":false,\"name\":\"b\","
	  "\"description\":\"\"}]\n" },
	{ "{}", NULL }, { "[]", NULL }, { "", NULL }, { "{\"results\":1}", NULL },
};

static void passes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf out = { 0 };
		int rc = search_results(rows[i].json, strlen(rows[i].json), &out, NULL);

		assert_int_equal(rc < 0, !rows[i].out);
		if (rows[i].out)
			assert_string_equal(out.data, rows[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(passes_on) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
