/* Which file of a disk is its bundle. The mount itself is tests/update/test_update.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "update/medium.h"

#include "shell.h"

static const struct {
	const char *make; /* in an empty folder */
	int rc;           /* 0: an fd */
	const char *said;
} rows[] = {
	{ "echo x >berth-1.bundle", 0, "" },
	{ "echo x >b.bundle; echo y >b.bundle.minisig; echo z >._b.bundle; mkdir other", 0, "" },
	{ "echo x >bundle; echo x >.bundle", -ENOENT, "there is no file named *.bundle at its top" },
	{ "echo x >a.bundle; echo x >b.bundle", -EINVAL, "expected one bundle" },
	{ "mkdir a.bundle", -EINVAL, "\"a.bundle\" is no regular file" },
	{ "mkfifo a.bundle", -EINVAL, "\"a.bundle\" is no regular file" },
	{ "ln -s /etc/passwd a.bundle", -ENOENT, "a.bundle" },
};

static void test_one_bundle_is_expected(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char folder[] = "/tmp/berth-medium-XXXXXX", c = '?';
		struct err e = { "" };
		autoclose int dir = -1, fd = -1;

		assert_non_null(mkdtemp(folder));
		shell("cd %s && %s", folder, rows[i].make);
		dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fd = medium_find(dir, &e);
		shell("rm -r %s", folder);
		if ((rows[i].rc ? fd != rows[i].rc : fd < 0) || !strstr(e.text, rows[i].said))
			fail_msg("%s: %d, \"%s\"", rows[i].make, fd, e.text);
		if (fd >= 0) {
			assert_int_equal(read(fd, &c, 1), 1);
			assert_int_equal(c, 'x');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_one_bundle_is_expected) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
