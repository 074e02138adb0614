/* The table and the boot sector of a disk that is installed to, against sgdisk; and a whole copy
 * between two files. */
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
#include "base/path.h"
#include "update/clone.h"
#include "update/device.h"
#include "update/failnote.h"

#include "shell.h"

enum { MIB = 1 << 20, SOURCE_MIB = 100, TARGET_MIB = 200 };

static char work[64];

/* A disk as ours, but small: every partition is full of its own letter. */
static int make_disk(void **unused)
{
	static const struct {
		const char *name;
		int mib;
	} parts[] = { { "bios", 1 },   { "esp", 2 },    { "state", 1 },  { "boot-a", 2 },
		      { "root-a", 4 }, { "boot-b", 2 }, { "root-b", 4 }, { "data", 4 } };
	int at = 1;

	(void)unused;
	strcpy(work, "/tmp/berth-clone-XXXXXX");
	if (!mkdtemp(work))
		return -1;
	shell("truncate -s %dM %s/source", SOURCE_MIB, work);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++, at += parts[i - 1].mib)
		shell("/usr/sbin/sgdisk -n %zu:%dM:+%dM -c %zu:%s %s/source >/dev/null && head -c %dM /dev/zero |"
		      " tr '\\0' %c | dd of=%s/source bs=1M seek=%d conv=notrunc status=none", i + 1, at,
		      parts[i].mib, i + 1, parts[i].name, work, parts[i].mib, (char)('a' + i), work, at);
	shell("printf 'LOADER' | dd of=%s/source conv=notrunc status=none", work);
	shell("head -c %dM /dev/zero | tr '\\0' 'z' >%s/target", TARGET_MIB, work);
	return 0;
}

static int clean(void **unused)
{
	(void)unused;
	return path_remove_tree(AT_FDCWD, work, NULL);
}

static int open_in_work(const char *name, bool direct)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	return direct ? device_open(path, NULL) : open(path, O_RDWR | O_CLOEXEC);
}

static struct gpt read_table(const char *name)
{
	autoclose int fd = open_in_work(name, false);
	struct gpt t;

	assert_int_equal(gpt_read(fd, &t, NULL), 0);
	return t;
}

static void fill_guids(unsigned char guids[GPT_ENTRIES_MAX + 1][16])
{
	for (int i = 0; i <= GPT_ENTRIES_MAX; i++)
		memset(guids[i], i + 1, 16);
}

static void test_the_same_layout_with_names_of_its_own(void **unused)
{
	struct gpt from = read_table("source"), to;
	unsigned char guids[GPT_ENTRIES_MAX + 1][16];
	struct err e = { "" };

	(void)unused;
	fill_guids(guids);
	assert_int_equal(clone_layout(&from, TARGET_MIB * 2048ULL, (const unsigned char(*)[16])guids, &to,
				      &e), 0);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(to.entries[i].first, from.entries[i].first);
		assert_int_equal(to.entries[i].last, from.entries[i].last);
		assert_memory_not_equal(to.entries[i].unique, from.entries[i].unique, 16);
	}
	assert_memory_not_equal(to.guid, from.guid, 16);
	assert_int_equal(to.entries[7].first, from.entries[7].first);
	assert_int_equal((to.entries[7].last + 1) / 2048, TARGET_MIB - 1);
	assert_true(to.entries[7].attributes & GPT_ATTR_EMPTY);
}

static void test_a_disk_that_is_too_small(void **unused)
{
	struct gpt from = read_table("source"), to;
	unsigned char guids[GPT_ENTRIES_MAX + 1][16];
	struct err e = { "" };

	(void)unused;
	fill_guids(guids);
	assert_int_equal(clone_layout(&from, 60 * 2048, (const unsigned char(*)[16])guids, &to, &e), -ENOSPC);
	assert_string_equal(e.text, "the disk is too small: it has 60 MiB, at least 82 are needed");
}

static void expect_letter(int fd, const struct gpt *t, int index, uint64_t offset, char letter)
{
	char c;

	assert_int_equal(pread(fd, &c, 1, (off_t)(t->entries[index].first * 512 + offset)), 1);
	assert_int_equal(c, letter);
}

/* The running slot is B: its content becomes the new disk's slot A. */
static void test_a_copy_is_a_fresh_machine(void **unused)
{
	struct gpt from = read_table("source"), to, back;
	unsigned char guids[GPT_ENTRIES_MAX + 1][16];
	autoclose int source = open_in_work("source", true), target = open_in_work("target", true);
	autoclose int table = open_in_work("target", false);
	struct clone c = { .source = source, .target = target, .table = table, .from = &from, .to = &to,
			   .running = SLOT_B, .boot_bytes = MIB, .root_bytes = 3 * MIB };
	static const off_t copies[] = BOOTSTATE_OFFSETS;
	char sector[BOOTSTATE_BYTES], loader[6];
	struct bootstate state;
	struct err e = { "" };
	unsigned seq;

	(void)unused;
	fill_guids(guids);
	assert_int_equal(clone_layout(&from, TARGET_MIB * 2048ULL, (const unsigned char(*)[16])guids, &to,
				      &e), 0);
	if (clone_write(&c, NULL, NULL, &e) < 0)
		fail_msg("%s", e.text);
	shell("/usr/sbin/sgdisk -v %s/target | grep -q 'No problems found'", work);
	back = read_table("target");
	expect_letter(table, &back, 0, 0, 'a');
	expect_letter(table, &back, 1, 2 * MIB - 1, 'b');
	expect_letter(table, &back, 3, MIB - 1, 'f');
	expect_letter(table, &back, 4, 3 * MIB - 1, 'g');
	expect_letter(table, &back, 5, 0, '\0');
	for (int i = 0; i < BOOTSTATE_COPIES; i++) {
		assert_int_equal(pread(table, sector, sizeof(sector),
				       (off_t)back.entries[2].first * 512 + copies[i]), sizeof(sector));
		assert_true(bootstate_parse(sector, &state, &seq));
		assert_true(state.prefer == SLOT_A && state.slot[SLOT_A].good && !state.slot[SLOT_B].good);
	}
	expect_letter(table, &back, 2, FAILNOTE_OFFSET - 1, 'c');
	expect_letter(table, &back, 2, FAILNOTE_OFFSET, '\0'); /* no note of the other machine's */
	expect_letter(table, &back, 2, FAILNOTE_OFFSET + FAILNOTE_BYTES, 'c');
	assert_int_equal(pread(table, loader, sizeof(loader), 0), sizeof(loader));
	assert_memory_equal(loader, "LOADER", sizeof(loader));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_layout_with_names_of_its_own),
		cmocka_unit_test(test_a_disk_that_is_too_small),
		cmocka_unit_test(test_a_copy_is_a_fresh_machine),
	};

	return cmocka_run_group_tests(tests, make_disk, clean);
}
