/* Paths inside a container, as docker's clients write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "unpack/inside.h"

static const struct {
	const char *path, *clean, *base;
} rows[] = {
	{ "/etc/passwd", "/etc/passwd", "passwd" },
	{ "etc", "/etc", "etc" },
	{ "/etc/", "/etc/", "etc" },
	{ "/etc/.", "/etc/.", "." },
	{ "//a///b//", "/a/b/", "b" },
	{ "/a/./b/../c", "/a/c", "c" },
	{ "/a/..", "/", "/" },
	{ "../../x", "/x", "x" },
	{ "/", "/", "/" },
	{ "/.", "/.", "." },
	{ ".", "/.", "." },
	{ "/..", "/", "/" },
	{ "/a/...", "/a/...", "..." },
};

static void cleans(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char clean[PATH_MAX], base[NAME_MAX + 1];

		assert_int_equal(inside_clean(rows[i].path, clean), 0);
		assert_string_equal(clean, rows[i].clean);
		assert_string_equal(inside_base(clean, base), rows[i].base);
	}
}

static void refuses_what_is_too_long(void **state)
{
	char name[NAME_MAX + 3], path[2 * PATH_MAX], clean[PATH_MAX];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(inside_clean(name, clean), -ENAMETOOLONG);
	for (size_t i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 2 ? 'y' : '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(inside_clean(path, clean), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleans),
		cmocka_unit_test(refuses_what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
