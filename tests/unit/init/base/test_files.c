/* file.h and path.h, in a directory of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"

static char top[64];
static int dir = -1;

static int make_top(void **state)
{
	(void)state;
	strcpy(top, "/tmp/berth-test-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0;
}

static int remove_top(void **state)
{
	(void)state;
	close(dir);
	return path_remove_tree(AT_FDCWD, top, NULL);
}

static void replace_keeps_nothing_half(void **state)
{
	autobuf struct buf b = { 0 };
	struct err e = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(file_replace_at(dir, "f", "old", 3, 0644, &e), 0);
	assert_int_equal(file_replace_at(dir, "f", "newer", 5, 0600, &e), 0);
	assert_int_equal(file_read_at(dir, "f", 100, &b, &e), 0);
	assert_string_equal(buf_text(&b), "newer");
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(faccessat(dir, "f.new", F_OK, 0), -1);
	assert_int_equal(file_replace_at(dir, "no/f", "x", 1, 0600, &e), -ENOENT);
	assert_string_equal(e.text, "write \"no/f\": No such file or directory");
}

static void reading_is_bounded(void **state)
{
	autobuf struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(file_replace_at(dir, "ten", "0123456789", 10, 0600, &e), 0);
	assert_int_equal(file_read_at(dir, "ten", 9, &b, &e), -EFBIG);
	assert_string_equal(e.text, "\"ten\": larger than 9 bytes");
	assert_int_equal(file_read_at(dir, "none", 9, &b, &e), -ENOENT);
}

static void symlinks_stay_inside(void **state)
{
	autoclose int inside = -1, made = -1;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(mkdirat(dir, "root", 0755), 0);
	assert_int_equal(mkdirat(dir, "outside", 0755), 0);
	assert_int_equal(symlinkat("../outside", dir, "root/rel"), 0);
	assert_int_equal(symlinkat("/proc/self/root", dir, "root/magic"), 0);
	inside = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(inside >= 0);
	assert_int_equal(path_open_in(inside, "rel", O_PATH, 0, &e), -ENOENT);
	assert_int_equal(path_open_in(inside, "magic", O_PATH, 0, &e), -ENOENT);
	assert_int_equal(path_open_in(inside, "../outside", O_PATH, 0, &e), -ENOENT);
	made = path_mkdirs_in(inside, "/a//b/../c/d", 0755, &e);
	assert_true(made >= 0);
	assert_int_equal(faccessat(dir, "root/a/c/d", F_OK, 0), 0);
	assert_int_equal(faccessat(dir, "outside/d", F_OK, 0), -1);
}

static void remove_does_not_follow(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(mkdirat(dir, "victim", 0755), 0);
	assert_int_equal(file_replace_at(dir, "victim/kept", "x", 1, 0600, &e), 0);
	assert_int_equal(mkdirat(dir, "tree", 0755), 0);
	assert_int_equal(mkdirat(dir, "tree/sub", 0755), 0);
	assert_int_equal(symlinkat("../../victim", dir, "tree/sub/link"), 0);
	assert_int_equal(path_remove_tree(dir, "tree", &e), 0);
	assert_int_equal(faccessat(dir, "tree", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "victim/kept", F_OK, 0), 0);
	assert_int_equal(path_remove_tree(dir, "tree", &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(replace_keeps_nothing_half, make_top, remove_top),
		cmocka_unit_test_setup_teardown(reading_is_bounded, make_top, remove_top),
		cmocka_unit_test_setup_teardown(symlinks_stay_inside, make_top, remove_top),
		cmocka_unit_test_setup_teardown(remove_does_not_follow, make_top, remove_top),
	};

	return cmocka_run_group_tests_name("base/files", tests, NULL, NULL);
}
