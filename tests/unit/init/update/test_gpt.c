/* The partition table against sgdisk, which makes it and afterwards verifies it. */
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

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "update/gpt.h"

enum { MIB = 1 << 20 };

static char path[64];
static int disk = -1;

static int shell(const char *before, const char *after)
{
	autobuf struct buf command = { 0 };

	buf_addf(&command, "%s %s %s", before, path, after);
	return system(buf_text(&command));
}

static int make_disk(void **state)
{
	(void)state;
	strcpy(path, "/tmp/berth-gpt-XXXXXX");
	disk = mkstemp(path);
	if (disk < 0 || ftruncate(disk, 16 * MIB) < 0)
		return -1;
	return shell("/usr/sbin/sgdisk -n 1:2048:+2M -c 1:state -n 2:0:+4M -c 2:data -A 2:set:48",
		     ">/dev/null");
}

static int drop_disk(void **state)
{
	(void)state;
	close(disk);
	return unlink(path);
}

static void assert_verifies(void)
{
	assert_int_equal(shell("/usr/sbin/sgdisk -v", "| grep -q 'No problems found'"), 0);
}

static void reads_what_sgdisk_made(void **state)
{
	struct err e = { 0 };
	struct gpt t;

	(void)state;
	assert_int_equal(gpt_read(disk, &t, &e), 0);
	assert_int_equal(gpt_find(&t, "state"), 0);
	assert_int_equal(gpt_find(&t, "data"), 1);
	assert_int_equal(gpt_find(&t, "nothing"), -ENOENT);
	assert_int_equal(t.entries[0].first, 2048);
	assert_int_equal(t.entries[0].last, 2048 + 4096 - 1);
	assert_true(t.entries[1].attributes & GPT_ATTR_EMPTY);
	assert_false(t.entries[0].attributes & GPT_ATTR_EMPTY);
}

static void grows_with_the_disk(void **state)
{
	struct err e = { 0 };
	struct gpt t, again;

	(void)state;
	assert_int_equal(ftruncate(disk, 64 * MIB), 0);
	assert_int_equal(gpt_read(disk, &t, &e), 0);
	assert_false(gpt_grow(&t, 0)); /* not the last on the disk */
	assert_true(gpt_grow(&t, 1));
	t.entries[1].attributes &= ~GPT_ATTR_EMPTY;
	assert_int_equal(gpt_write(disk, &t, &e), 0);
	assert_verifies();
	assert_int_equal(gpt_read(disk, &again, &e), 0);
	assert_int_equal((again.entries[1].last + 1) % 2048, 0);
	assert_true(again.entries[1].last > 62 * 2048);
	assert_false(again.entries[1].attributes & GPT_ATTR_EMPTY);
	assert_false(gpt_grow(&again, 1)); /* there is no more to take */
	assert_memory_equal(again.entries[0].unique, t.entries[0].unique, 16);
}

/* Each torn state that a power cut in gpt_write can leave is still a readable table. */
static void a_damaged_primary_is_no_loss(void **state)
{
	static const off_t places[] = { 512, 512 + 40, 1024, 1024 + 128 };
	unsigned char sector[512];
	struct err e = { 0 };
	struct gpt t;

	(void)state;
	memset(sector, 0xa5, sizeof(sector));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		assert_int_equal(pwrite(disk, sector, 16, places[i]), 16);
		assert_int_equal(gpt_read(disk, &t, &e), 0);
		assert_int_equal(gpt_find(&t, "data"), 1);
		assert_int_equal(gpt_write(disk, &t, &e), 0);
		assert_verifies();
	}
}

static void garbage_is_refused(void **state)
{
	struct err e = { 0 };
	struct gpt t;

	(void)state;
	assert_int_equal(ftruncate(disk, 0), 0);
	assert_int_equal(ftruncate(disk, 16 * MIB), 0);
	assert_int_equal(gpt_read(disk, &t, &e), -EBADMSG);
	assert_string_equal(e.text, "the disk has no valid GUID partition table");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_what_sgdisk_made, make_disk, drop_disk),
		cmocka_unit_test_setup_teardown(grows_with_the_disk, make_disk, drop_disk),
		cmocka_unit_test_setup_teardown(a_damaged_primary_is_no_loss, make_disk, drop_disk),
		cmocka_unit_test_setup_teardown(garbage_is_refused, make_disk, drop_disk),
	};

	return cmocka_run_group_tests_name("update/gpt", tests, NULL, NULL);
}
