#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void sentences(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, -EINVAL, "port \"%s\"", "x"), -EINVAL);
	assert_string_equal(e.text, "port \"x\"");
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open \"%s\"", "/a"), -ENOENT);
	assert_string_equal(e.text, "open \"/a\": No such file or directory");
	err_prefix(&e, "container \"%s\"", "web");
	assert_string_equal(e.text, "container \"web\": open \"/a\": No such file or directory");
	assert_int_equal(err_code(&e, -EBUSY, "mount"), -EBUSY);
	assert_string_equal(e.text, "mount: Device or resource busy");
}

/* A write that was cut short sets no errno. */
static void without_a_reason(void **state)
{
	struct err e = { 0 };

	(void)state;
	errno = 0;
	assert_int_equal(err_sys(&e, "write"), -EIO);
	assert_string_equal(e.text, "write: Input/output error");
	errno = 0;
	assert_int_equal(err_sys(NULL, "write"), -EIO);
}

static void without_an_object(void **state)
{
	(void)state;
	errno = EPERM;
	assert_int_equal(err_sys(NULL, "x"), -EPERM);
	assert_int_equal(err_set(NULL, -EIO, "x"), -EIO);
	err_prefix(NULL, "x");
}

static void too_long_is_cut(void **state)
{
	char longish[2 * ERR_TEXT_MAX];
	struct err e = { 0 };

	(void)state;
	memset(longish, 'x', sizeof(longish) - 1);
	longish[sizeof(longish) - 1] = '\0';
	errno = EIO;
	assert_int_equal(err_sys(&e, "%s", longish), -EIO);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	err_prefix(&e, "%s", longish);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences),
		cmocka_unit_test(without_a_reason),
		cmocka_unit_test(without_an_object),
		cmocka_unit_test(too_long_is_cut),
	};

	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
