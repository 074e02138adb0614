/* The stack file: what is written is read back, and what is no stack is refused. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "image/stack.h"

static char dir_name[] = "/tmp/berth-stack-XXXXXX";
static int dir;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir_name))
		return -1;
	dir = open(dir_name, O_RDONLY | O_DIRECTORY);
	return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(dir);
	return path_remove_tree(AT_FDCWD, dir_name, NULL);
}

static void write_text(const char *text)
{
	assert_int_equal(file_replace_at(dir, "stack", text, strlen(text), 0600, NULL), 0);
}

static void round_trip(void **state)
{
	struct stack s = { .idmap_base = 131072, .idmap_size = 65536 }, back;
	struct err e;

	(void)state;
	assert_int_equal(stack_add_lower(&s, "/store/layers/b", &e), 0);
	assert_int_equal(stack_add_lower(&s, "/store/layers/a b", &e), 0);
	s.upper = strdup("/c/upper");
	s.work = strdup("/c/work");
	assert_int_equal(stack_write(&s, dir, "stack", &e), 0);
	assert_int_equal(stack_read(&back, dir, "stack", &e), 0);
	assert_int_equal(back.lower_count, 2);
	assert_string_equal(back.lower[0], "/store/layers/b");
	assert_string_equal(back.lower[1], "/store/layers/a b");
	assert_string_equal(back.upper, "/c/upper");
	assert_string_equal(back.work, "/c/work");
	assert_int_equal(back.idmap_base, 131072);
	assert_int_equal(back.idmap_size, 65536);
	stack_free(&s);
	stack_free(&back);
}

static const struct {
	const char *text, *expected;
} bad[] = {
	{ "", "no layer" },
	{ "upper /a/u\nwork /a/w\n", "no layer" },
	{ "lower a\n", "not a usable absolute path" },
	{ "lower /\n", "not a usable absolute path" },
	{ "lower /a/\n", "not a usable absolute path" },
	{ "lower /a\nupper /b/u\n", "belong together" },
	{ "lower /a\nwork /b/w\n", "belong together" },
	{ "lower /a\nupper /b/u\nwork /c/w\n", "must be siblings" },
	{ "lower /a\nupper /b/u\nupper /b/v\nwork /b/w\n", "line 3: not a line" },
	{ "lower /a\nlayer /b\n", "line 2: not a line" },
	{ "lower\n", "line 1: not a line" },
	{ "lower /a\n\n", "line 2: not a line" },
	{ "lower /a\nidmap 1\n", "line 2: not a line" },
	{ "lower /a\nidmap 1 0\n", "line 2: not a line" },
	{ "lower /a\nidmap -1 5\n", "line 2: not a line" },
	{ "lower /a\nidmap 1 5x\n", "line 2: not a line" },
	{ "lower /a\nidmap 4294967295 65536\n", "line 2: not a line" },
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct stack s;
		struct err e = { 0 };

		write_text(bad[i].text);
		if (stack_read(&s, dir, "stack", &e) == 0)
			fail_msg("accepted row %zu: \"%s\"", i, bad[i].text);
		if (!strstr(e.text, bad[i].expected))
			fail_msg("row %zu: \"%s\" instead of \"%s\"", i, e.text, bad[i].expected);
	}
}

static void refuses_newlines(void **state)
{
	struct stack s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(stack_add_lower(&s, "/a\nupper /etc", &e), 0);
	assert_int_equal(stack_write(&s, dir, "stack", &e), -EINVAL);
	stack_free(&s);
}

static void bounds_layers(void **state)
{
	struct stack s = { 0 };
	struct err e;

	(void)state;
	for (int i = 0; i < STACK_LOWER_MAX; i++)
		assert_int_equal(stack_add_lower(&s, "/a", &e), 0);
	assert_int_equal(stack_add_lower(&s, "/a", &e), -E2BIG);
	stack_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_newlines),
		cmocka_unit_test(bounds_layers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
