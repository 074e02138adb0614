/* Detach keys: how they are written, and what of the typed bytes goes on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/stream.h"

static const struct {
	const char *text;
	int rc;
	const char *bytes;
} texts[] = {
	{ "ctrl-p,ctrl-q", 0, "\x10\x11" },
	{ "a", 0, "a" },
	{ "ctrl-\\,x", 0, "\x1cx" },
	{ "", 0, "" },
	{ "ctrl-", -EINVAL, NULL },
	{ "ctrl-1", -EINVAL, NULL },
	{ "alt-x", -EINVAL, NULL },
	{ "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", -EINVAL, NULL },
};

static void keys_are_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct stream_keys keys;
		struct err e = { 0 };

		assert_int_equal(stream_keys_parse(texts[i].text, &keys, &e), texts[i].rc);
		if (texts[i].rc < 0) {
			assert_non_null(strstr(e.text, "ctrl-p,ctrl-q"));
			continue;
		}
		assert_int_equal(keys.count, strlen(texts[i].bytes));
		assert_memory_equal(keys.bytes, texts[i].bytes, keys.count);
	}
}

/* With ctrl-p,ctrl-q; "|" ends one read. */
static const struct {
	const char *typed, *passed;
	bool detached;
} rows[] = {
	{ "hello", "hello", false },
	{ "\x10\x11", "", true },
	{ "ab\x10\x11", "ab", true },
	{ "\x10|\x11", "", true },
	{ "\x10|x", "\x10x", false },
	{ "\x10\x10\x11", "\x10", true },
	{ "\x11\x10", "\x11", false },
};

static void keys_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf out = { 0 };
		struct stream_keys keys;
		bool detached = false;

		assert_int_equal(stream_keys_parse("ctrl-p,ctrl-q", &keys, NULL), 0);
		for (const char *p = rows[i].typed; *p && !detached;) {
			size_t len = strcspn(p, "|");

			detached = stream_keys_filter(&keys, p, len, &out);
			p += len + (p[len] == '|');
		}
		assert_int_equal(detached, rows[i].detached);
		assert_string_equal(buf_text(&out), rows[i].passed);
	}
}

static void without_keys_all_goes_on(void **state)
{
	struct stream_keys keys = { .count = 0 };
	autobuf struct buf out = { 0 };

	(void)state;
	assert_false(stream_keys_filter(&keys, "\0\x10\x11", 3, &out));
	assert_int_equal(out.len, 3);
}

static void frames_that_are_not_whole_wait(void **state)
{
	autobuf struct buf in = { 0 };

	(void)state;
	buf_add(&in, "\1\0\0\0\0\0\0", 7);
	assert_int_equal(stream_unframe(&in), 0);
	assert_int_equal(in.len, 7);
	buf_add(&in, "\1", 1);
	assert_int_equal(stream_unframe(&in), 0);
	assert_int_equal(in.len, 8);
	buf_reset(&in);
	buf_add(&in, "\7\0\0\0\0\0\0\0", 8);
	assert_int_equal(stream_unframe(&in), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_parsed),
		cmocka_unit_test(keys_are_found),
		cmocka_unit_test(without_keys_all_goes_on),
		cmocka_unit_test(frames_that_are_not_whole_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
