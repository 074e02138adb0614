#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/caps.h"

enum { CHOWN = 1 << 0, KILL = 1 << 5, NET_RAW = 1 << 13 };

/* "bounding permitted inheritable effective ambient" as JSON, and the sets that come of it. */
static const struct {
	const char *json;
	struct caps want;
} rows[] = {
	{ "{}", { 0 } },
	{ "{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"]}", { .bounding = CHOWN | KILL } },
	{ "{\"bounding\":[\"CAP_CHECKPOINT_RESTORE\"]}", { .bounding = (uint64_t)1 << 40 } },
	/* config.md, "capabilities": what cannot be mapped is a warning. */
	{ "{\"bounding\":[\"CAP_CHOWN\",\"CAP_WHAT\",\"CHOWN\",\"5\",\"\"]}", { .bounding = CHOWN } },
	/* The kernel's rules: effective within permitted, inheritable within bounding, ambient within
	 * permitted and inheritable. */
	{ "{\"effective\":[\"CAP_KILL\",\"CAP_CHOWN\"],\"permitted\":[\"CAP_KILL\"]}",
	  { .effective = KILL, .permitted = KILL } },
	{ "{\"inheritable\":[\"CAP_KILL\",\"CAP_CHOWN\"],\"bounding\":[\"CAP_KILL\"]}",
	  { .inheritable = KILL, .bounding = KILL } },
	{ "{\"bounding\":[\"CAP_KILL\",\"CAP_NET_RAW\"],\"permitted\":[\"CAP_KILL\",\"CAP_NET_RAW\"],"
	  "\"inheritable\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\",\"CAP_NET_RAW\",\"CAP_CHOWN\"]}",
	  { .bounding = KILL | NET_RAW,
	    .permitted = KILL | NET_RAW,
	    .inheritable = KILL,
	    .ambient = KILL } },
};

static void sets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *text = NULL;
		struct oci_process process;
		struct caps got;
		struct err e = { 0 };
		yyjson_doc *doc;

		assert_true(asprintf(&text, "{\"cwd\":\"/\",\"capabilities\":%s}", rows[i].json) > 0);
		doc = yyjson_read(text, strlen(text), 0);
		assert_non_null(doc);
		assert_int_equal(oci_process_read(yyjson_doc_get_root(doc), &process, &e), 0);
		assert_int_equal(caps_read(process.capabilities, true, &got, &e), 0);
		assert_memory_equal(&got, &rows[i].want, sizeof(got));
		oci_process_free(&process);
		yyjson_doc_free(doc);
	}
}

static void none_given(void **state)
{
	static const struct caps nothing;
	struct caps got;

	(void)state;
	assert_int_equal(caps_read(NULL, true, &got, NULL), 0);
	assert_memory_equal(&got, &nothing, sizeof(got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),
		cmocka_unit_test(none_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
