/* The note on the state partition: whole or none, and nothing else there is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "update/bootstate.h"
#include "update/device.h"
#include "update/failnote.h"
#include "update/statefs.h"

#include "shell.h"

enum { PARTITION_BYTES = 1 << 20, SECTOR = 512, SECTORS = FAILNOTE_BYTES / SECTOR };

static char path[64];
static int fd = -1;

/* A state partition, file system and copies, as the image and `berth update confirm` make it. */
static int make_partition(void **unused)
{
	const struct bootstate b = { .prefer = SLOT_B, .slot = { { true, 0 }, { false, 2 } } };

	(void)unused;
	strcpy(path, "/tmp/berth-note-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, PARTITION_BYTES) < 0 || statefs_make(path, &b, NULL) < 0)
		return -1;
	close(fd);
	fd = device_open(path, NULL);
	return fd < 0;
}

static int clean(void **unused)
{
	(void)unused;
	close(fd);
	return unlink(path);
}

static void expect(const char *text)
{
	autobuf struct buf out = { 0 };
	struct err e = { "" };

	assert_int_equal(failnote_read(fd, &out, &e), text ? 0 : -ENOENT);
	assert_string_equal(buf_text(&out), text ? text : "");
	assert_true(text || e.text[0]);
}

static void test_a_note_comes_back_until_it_is_cleared(void **unused)
{
	(void)unused;
	expect(NULL);
	assert_int_equal(failnote_clear(fd, NULL), 0);
	assert_int_equal(failnote_write(fd, "{\"slot\":\"b\"}", 12, NULL), 0);
	expect("{\"slot\":\"b\"}");
	assert_int_equal(failnote_write(fd, "later", 5, NULL), 0);
	expect("later");
	assert_int_equal(failnote_clear(fd, NULL), 0);
	expect(NULL);
}

static void test_a_note_has_a_most(void **unused)
{
	static char text[FAILNOTE_TEXT_MAX + 2];
	struct err e = { "" };

	(void)unused;
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(failnote_write(fd, text, FAILNOTE_TEXT_MAX + 1, &e), -E2BIG);
	assert_string_equal(e.text, "a note of 4045 bytes is too long, 4044 are the most");
	expect(NULL);
	assert_int_equal(failnote_write(fd, text, FAILNOTE_TEXT_MAX, NULL), 0);
	text[FAILNOTE_TEXT_MAX] = '\0';
	expect(text);
}

/* Any of the block's sectors old, the others new, in every combination: one of the notes, or none. */
static void test_half_a_note_is_none(void **unused)
{
	autofree char *old = device_buffer(FAILNOTE_BYTES), *new = device_buffer(FAILNOTE_BYTES);
	autofree char *torn = device_buffer(FAILNOTE_BYTES);
	char a[FAILNOTE_TEXT_MAX], b[FAILNOTE_TEXT_MAX];

	(void)unused;
	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	assert_int_equal(failnote_write(fd, a, sizeof(a), NULL), 0);
	assert_int_equal(device_read(fd, old, FAILNOTE_BYTES, FAILNOTE_OFFSET), 0);
	assert_int_equal(failnote_write(fd, b, sizeof(b), NULL), 0);
	assert_int_equal(device_read(fd, new, FAILNOTE_BYTES, FAILNOTE_OFFSET), 0);
	for (unsigned mask = 0; mask < 1U << SECTORS; mask++) {
		autobuf struct buf out = { 0 };
		int rc;

		for (unsigned i = 0; i < SECTORS; i++)
			memcpy(torn + i * SECTOR, (mask >> i & 1 ? new : old) + i * SECTOR, SECTOR);
		assert_int_equal(device_write(fd, torn, FAILNOTE_BYTES, FAILNOTE_OFFSET), 0);
		rc = failnote_read(fd, &out, NULL);
		if (mask == 0 || mask == (1U << SECTORS) - 1)
			assert_true(rc == 0 && out.len == sizeof(a) && out.data[0] == (mask ? 'b' : 'a'));
		else
			assert_int_equal(rc, -ENOENT);
	}
}

static void test_a_size_that_lies_is_no_note(void **unused)
{
	autofree char *block = device_buffer(FAILNOTE_BYTES);
	static const uint32_t sizes[] = { FAILNOTE_TEXT_MAX + 1, UINT32_MAX, 6, 0 };

	(void)unused;
	assert_int_equal(failnote_write(fd, "hello", 5, NULL), 0);
	assert_int_equal(device_read(fd, block, FAILNOTE_BYTES, FAILNOTE_OFFSET), 0);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		memcpy(block + 16, &sizes[i], sizeof(sizes[i]));
		assert_int_equal(device_write(fd, block, FAILNOTE_BYTES, FAILNOTE_OFFSET), 0);
		expect(NULL);
	}
}

/* Every byte beside it is as it was, and no file nor the file system's own blocks lie there. */
static void test_nothing_else_is_touched(void **unused)
{
	(void)unused;
	assert_int_equal(failnote_clear(fd, NULL), 0);
	shell("cp %s %s.before", path, path);
	assert_int_equal(failnote_write(fd, "hello", 5, NULL), 0);
	shell("test $(cmp -l %s %s.before | awk '$1 <= %d || $1 > %d' | wc -l) = 0", path, path,
	      FAILNOTE_OFFSET, FAILNOTE_OFFSET + FAILNOTE_BYTES);
	shell("debugfs -R 'testb %d' %s 2>/dev/null | grep -q 'not in use'",
	      FAILNOTE_OFFSET / FAILNOTE_BYTES, path);
	shell("e2fsck -fn %s >/dev/null 2>&1", path);
	assert_int_equal(failnote_clear(fd, NULL), 0);
	shell("cmp %s %s.before && rm %s.before", path, path, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_note_comes_back_until_it_is_cleared,
						make_partition, clean),
		cmocka_unit_test_setup_teardown(test_a_note_has_a_most, make_partition, clean),
		cmocka_unit_test_setup_teardown(test_half_a_note_is_none, make_partition, clean),
		cmocka_unit_test_setup_teardown(test_a_size_that_lies_is_no_note, make_partition, clean),
		cmocka_unit_test_setup_teardown(test_nothing_else_is_touched, make_partition, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
