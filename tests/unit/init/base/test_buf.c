#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

static void text_that_is_no_utf8(void **state)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "", "" }, { "plain \"\n", "plain \"\n" }, { "\xc3\xa9", "\xc3\xa9" },
		{ "caf\xe9", "caf\xef\xbf\xbd" }, { "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf b = { 0 };

		buf_add_utf8(&b, rows[i].in, strlen(rows[i].in));
		assert_string_equal(buf_text(&b), rows[i].out);
	}
}

static void json_strings(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{ "plain", 5, "\"plain\"" },
		{ "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
		{ "tab\tnl\n", 7, "\"tab\\tnl\\n\"" },
		{ "\x01", 1, "\"\\u0001\"" },
		{ "nul\0x", 5, "\"nul\\u0000x\"" },
		{ "\xc3\xa9", 2, "\"\xc3\xa9\"" },
		{ "\xc2\x97\xc2\xa0", 4, "\"\\u0097\xc2\xa0\"" }, /* a C1 control, a blank */
		{ "\xef\xbb\xbf\xef\xbf\xbf", 6, "\"\\ufeff\\uffff\"" },
		{ "\xc0\x80", 2, "\"\\ufffd\\ufffd\"" },         /* overlong NUL */
		{ "\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"" }, /* a surrogate */
		{ "\xe2\x82", 2, "\"\\ufffd\\ufffd\"" },         /* cut off */
		{ "\xf0\x9f\x90\xb3", 4, "\"\xf0\x9f\x90\xb3\"" },
		{ "", 0, "\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf b = { 0 };

		buf_add_json_string(&b, rows[i].in, rows[i].len);
		assert_string_equal(buf_text(&b), rows[i].out);
	}
}

static void append_and_consume(void **state)
{
	autobuf struct buf b = { 0 };

	(void)state;
	assert_string_equal(buf_text(&b), "");
	buf_addf(&b, "%d-%s", 42, "x");
	buf_addc(&b, '!');
	assert_string_equal(buf_text(&b), "42-x!");
	buf_consume(&b, 3);
	assert_string_equal(buf_text(&b), "x!");
	buf_consume(&b, 99);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_text(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_adds(&b, "0123456789");
	assert_int_equal(b.len, 10000);
	assert_true(buf_ok(&b));
}

static void too_much_is_remembered(void **state)
{
	autobuf struct buf b = { 0 };

	(void)state;
	buf_adds(&b, "kept");
	buf_add(&b, NULL, SIZE_MAX - 2);
	assert_false(buf_ok(&b));
	buf_adds(&b, "ignored");
	assert_string_equal(buf_text(&b), "kept");
	assert_null(buf_take(&b));
}

static void take_leaves_it_empty(void **state)
{
	struct buf b = { 0 };
	autofree char *empty = buf_take(&b), *text = NULL;

	(void)state;
	assert_string_equal(empty, "");
	buf_adds(&b, "mine");
	text = buf_take(&b);
	assert_string_equal(text, "mine");
	assert_null(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_is_no_utf8),
		cmocka_unit_test(json_strings),
		cmocka_unit_test(append_and_consume),
		cmocka_unit_test(too_much_is_remembered),
		cmocka_unit_test(take_leaves_it_empty),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
