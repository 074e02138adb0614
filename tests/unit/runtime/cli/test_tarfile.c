#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/tarfile.h"

/* The system's tar reads what we write. */
static void tar_reads_it(void **state)
{
	char path[] = "/tmp/tarfile.XXXXXX", command[128], answer[512] = "";
	int fd = mkstemp(path);
	struct err e = { 0 };
	char big[1025];
	FILE *tar;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(tarfile_add(fd, "b/empty.txt", "", 0, 86400, &e), 0);
	assert_int_equal(tarfile_add(fd, "b/block", big, 512, 86400, &e), 0);
	assert_int_equal(tarfile_add(fd, "b/big", big, sizeof(big), 86400, &e), 0);
	assert_int_equal(tarfile_end(fd, &e), 0);
	close(fd);
	snprintf(command, sizeof(command), "TZ=UTC tar -tvf %s 2>&1", path);
	tar = popen(command, "r");
	assert_true(fread(answer, 1, sizeof(answer) - 1, tar) > 0);
	assert_int_equal(pclose(tar), 0);
	assert_string_equal(answer, "-rw------- root/root         0 1970-01-02 00:00 b/empty.txt\n"
				    "-rw------- root/root       512 1970-01-02 00:00 b/block\n"
				    "-rw------- root/root      1025 1970-01-02 00:00 b/big\n");
	unlink(path);
}

static void names_that_do_not_fit(void **state)
{
	char longest[101];
	struct err e = { 0 };

	(void)state;
	memset(longest, 'n', 100);
	longest[100] = '\0';
	assert_int_equal(tarfile_add(-1, longest, "", 0, 0, &e), -ENAMETOOLONG);
	assert_int_equal(tarfile_add(-1, "/etc/passwd", "", 0, 0, &e), -ENAMETOOLONG);
	assert_int_equal(tarfile_add(-1, "", "", 0, 0, &e), -ENAMETOOLONG);
}

static void a_full_disk_is_told(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(tarfile_add(fileno(full), "a", "x", 1, 0, &e), -ENOSPC);
	assert_string_equal(e.text, "write the archive: No space left on device");
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tar_reads_it),
		cmocka_unit_test(names_that_do_not_fit),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests_name("tarfile", tests, NULL, NULL);
}
