/* What a partition holds, of file systems that mke2fs makes, and how large they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "update/content.h"

#include "shell.h"

enum { PARTITION_MIB = 64 };

/* The command makes it in a partition of 64 MiB; `mib` 0: no size can be read. */
static const struct {
	const char *name, *command, *size;
	enum content content;
	unsigned mib;
} rows[] = {
	{ "nothing", "true", "", CONTENT_BLANK, 0 },
	{ "the data partition", "mke2fs -qF -t ext4 -O quota,project", "", CONTENT_EXT4, 64 },
	{ "smaller than its partition", "mke2fs -qF -t ext4 -b 4096", "48M", CONTENT_EXT4, 48 },
	{ "a slot's", "mke2fs -qF -t ext2 -b 4096 -O none,filetype", "11M", CONTENT_EXT4, 11 },
	{ "small blocks", "mke2fs -qF -t ext2 -b 1024", "7M", CONTENT_EXT4, 7 },
	{ "64 bits", "mke2fs -qF -t ext4 -b 4096 -O 64bit", "32M", CONTENT_EXT4, 32 },
	{ "FAT", "mkfs.vfat", "", CONTENT_FOREIGN, 0 },
};

static void test_what_it_is_and_how_large(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[] = "/tmp/berth-content-XXXXXX";
		autoclose int fd = mkstemp(path);
		unsigned char start[CONTENT_EXT_START];
		enum content content;
		uint64_t bytes = 0;

		assert_int_equal(ftruncate(fd, PARTITION_MIB << 20), 0);
		shell("%s %s %s >/dev/null", rows[i].command, path, rows[i].size);
		assert_int_equal(content_of(fd, &content, NULL), 0);
		assert_int_equal(pread(fd, start, sizeof(start), 0), sizeof(start));
		unlink(path);
		if (content != rows[i].content ||
		    content_ext_bytes(start, &bytes) != (rows[i].mib ? 0 : -EBADMSG) ||
		    bytes != (uint64_t)rows[i].mib << 20)
			fail_msg("%s: content %d, %llu bytes", rows[i].name, content,
				 (unsigned long long)bytes);
	}
}

static void test_sizes_beyond_32_bits_of_blocks(void **unused)
{
	unsigned char start[CONTENT_EXT_START] = { 0 };
	uint64_t bytes;

	(void)unused;
	start[1024 + 56] = 0x53;
	start[1024 + 57] = 0xef;
	start[1024 + 24] = 2;        /* blocks of 4096 bytes */
	start[1024 + 0x150] = 1;     /* 2^32 of them, which ... */
	assert_int_equal(content_ext_bytes(start, &bytes), 0);
	assert_int_equal(bytes, 0);
	start[1024 + 96] = 0x80;     /* ... counts with this feature */
	assert_int_equal(content_ext_bytes(start, &bytes), 0);
	assert_true(bytes == 1ULL << 44);
	start[1024 + 24] = 7;
	assert_int_equal(content_ext_bytes(start, &bytes), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_is_and_how_large),
		cmocka_unit_test(test_sizes_beyond_32_bits_of_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
