/* Disks besides Berth's own: what can be told without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "update/bootdisk.h"
#include "update/disks.h"

static const struct {
	const char *name, *path;
} names[] = {
	{ "/dev/vdb", "/dev/vdb" },	  { "data", "/dev/vdb" },  { "data.1", "/dev/vdb1" },
	{ "fast.2", "/dev/nvme0n1p2" }, { "vdc", "/dev/vdc" }, { "other.1", "/dev/other.1" },
	{ "/dev/disk.1", "/dev/disk.1" }, { "data.x", "/dev/data.x" },
};

static void test_names(void **state)
{
	static const char text[] =
		"{\"device_aliases\":{\"data\":\"/dev/vdb\",\"fast\":\"/dev/nvme0n1\"}}";
	yyjson_doc *doc = yyjson_read(text, sizeof(text) - 1, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		autobuf struct buf out = { 0 };

		disks_name(yyjson_doc_get_root(doc), names[i].name, &out);
		assert_string_equal(buf_text(&out), names[i].path);
	}
	yyjson_doc_free(doc);
}

static const struct {
	const char *mount, *defaults, *fields;
} mounts[] = {
	{ "[\"LABEL=a\",\"/srv\"]", "null", "LABEL=a|/srv|auto|defaults,nofail|0|2" },
	{ "[\"/dev/vdb\",\"/srv\",\"ext4\",\"noatime\",\"0\",\"1\"]", "null",
	  "/dev/vdb|/srv|ext4|noatime|0|1" },
	{ "[\"/dev/vdb\",\"/srv\",\"\"]", "[null,null,\"ext4\",\"ro\",\"0\",\"0\"]",
	  "/dev/vdb|/srv|ext4|ro|0|0" },
};

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		yyjson_doc *mount = yyjson_read(mounts[i].mount, strlen(mounts[i].mount), 0);
		yyjson_doc *defaults = yyjson_read(mounts[i].defaults, strlen(mounts[i].defaults), 0);
		const char *f[FSTAB_FIELDS];
		autobuf struct buf out = { 0 };

		disks_fields(yyjson_doc_get_root(mount), yyjson_doc_get_root(defaults), f);
		for (size_t k = 0; k < FSTAB_FIELDS; k++)
			buf_addf(&out, "%s%s", k ? "|" : "", f[k]);
		assert_string_equal(buf_text(&out), mounts[i].fields);
		yyjson_doc_free(mount);
		yyjson_doc_free(defaults);
	}
}

static const struct {
	const char *disk, *link;
	bool own;
} links[] = {
	{ "vda", "../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda", true },
	{ "vda", "../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda6", true },
	{ "vda", "../../devices/pci0000:00/0000:00:05.0/virtio2/block/vdaa/vdaa6", false },
	{ "vda", "../../devices/pci0000:00/0000:00:05.0/virtio2/block/vdb", false },
	{ "da", "../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda6", false },
	{ "nvme0n1", "../../devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1/nvme0n1p1", true },
	{ "nvme0n1", "../../devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n11/nvme0n11p1", false },
	{ "loop0", "../../devices/virtual/block/loop0/loop0p3", true },
	{ "vda", "vda", false },
};

/* Partitions of Berth's own disk that nobody has open: the loader, the other slot. */
static void test_own_disk(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		struct bootdisk own = { "" };

		strcpy(own.disk, links[i].disk);
		assert_int_equal(bootdisk_holds_link(&own, links[i].link), links[i].own);
	}
}

#define MIB (1024ULL * 1024)

static const struct {
	uint64_t memory, room, max, size;
} sizes[] = {
	{ 64 * MIB, 100000 * MIB, 0, 128 * MIB },    { 512 * MIB, 100000 * MIB, 0, 512 * MIB },
	{ 512 * MIB, 800 * MIB, 0, 100 * MIB },	     { 4096 * MIB, 100000 * MIB, 1024 * MIB, 1024 * MIB },
	{ 4096 * MIB, 0, 0, 0 },
};

static void test_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		assert_int_equal(disks_swap_size(sizes[i].memory, sizes[i].room, sizes[i].max),
				 sizes[i].size);
}

/* What mkswap writes: the kernel reads version, last page and magic. */
static void test_swap_header(void **state)
{
	char path[] = "/tmp/disks-test-XXXXXX";
	autoclose int fd = mkstemp(path);
	unsigned char page[4096];
	struct err e = { "" };

	(void)state;
	unlink(path);
	assert_true(disks_is_blank(fd));
	assert_int_equal(disks_make_swap(fd, 8 * MIB, &e), 0);
	assert_false(disks_is_blank(fd));
	assert_int_equal(pread(fd, page, sizeof(page), 0), sizeof(page));
	assert_memory_equal(page + 4086, "SWAPSPACE2", 10);
	assert_memory_equal(page + 1024, "\1\0\0\0\xff\7\0\0", 8);
	assert_int_equal(disks_make_swap(fd, 4096, &e), -ENOSPC);
	assert_string_equal(e.text, "it is too small for swap");
}

/* A file that a power cut left without its first page is no swap file, whatever its size. */
static void test_swap_file_that_is_there(void **state)
{
	char path[] = "/tmp/disks-test-XXXXXX";
	autoclose int fd = mkstemp(path);
	struct err e = { "" };

	(void)state;
	assert_int_equal(disks_swap_there("/tmp/disks-test-none"), 0);
	assert_int_equal(ftruncate(fd, 8 * MIB), 0);
	assert_int_equal(disks_swap_there(path), 0);
	assert_int_equal(disks_make_swap(fd, 8 * MIB, &e), 0);
	assert_int_equal(disks_swap_there(path), 8 * MIB);
	unlink(path);
	assert_int_equal(symlink("/proc/self/exe", path), 0);
	assert_int_equal(disks_swap_there(path), 0);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_own_disk), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_swap_header),
		cmocka_unit_test(test_swap_file_that_is_there),
	};

	return cmocka_run_group_tests_name("disks", tests, NULL, NULL);
}
