/* What differs between two configurations, and what of it takes effect at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "bootcfg/change.h"

static const struct {
	const char *from, *to, *lines;
} rows[] = {
	{ "{}", "{}", "" },
	{ "{\"version\":1,\"digest\":\"a\",\"faults\":[1],\"trial\":\"new\"}",
	  "{\"version\":1,\"digest\":\"b\",\"source\":{}}", "" },
	{ "{\"hostname\":\"a\"}", "{\"hostname\":\"a\"}", "" },
	{ "{\"hostname\":\"a\"}", "{\"hostname\":\"b\"}", "hostname: changed, at once\n" },
	{ "{\"hostname\":\"a\"}", "{}", "hostname: gone, at once\n" },
	{ "{}", "{\"swap\":{}}", "swap: new, at the next boot\n" },
	{ "{}", "{\"berth\":{}}", "berth: new, at once\n" },
	{ "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\",\"x\":1}]}",
	  "{\"containers\":[{\"name\":\"d\"},{\"name\":\"c\",\"x\":2},{\"name\":\"a\"}]}",
	  "containers.d: new, at once\ncontainers.c: changed, at once\n"
	  "containers.b: gone, at once\n" },
	{ "{\"containers\":[{\"name\":\"a\"}]}", "{}", "containers.a: gone, at once\n" },
};

static yyjson_mut_doc *parse(const char *text)
{
	yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
	yyjson_mut_doc *copy = yyjson_doc_mut_copy(doc, NULL);

	assert_non_null(copy);
	yyjson_doc_free(doc);
	return copy;
}

static void what_differs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		yyjson_mut_doc *from = parse(rows[i].from), *to = parse(rows[i].to);
		autobuf struct buf lines = { 0 };

		change_list(yyjson_mut_doc_get_root(from), yyjson_mut_doc_get_root(to), &lines);
		assert_string_equal(buf_text(&lines), rows[i].lines);
		yyjson_mut_doc_free(from);
		yyjson_mut_doc_free(to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_differs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
