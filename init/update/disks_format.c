/* fs_setup: file systems, where nothing is yet. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/spawn.h"
#include "update/device.h"
#include "update/disks.h"
#include "update/json.h"

enum { EXT_MAGIC_AT = 1024 + 56, SWAP_MAGIC_AT = 4096 - 10, WAIT_MS = 3000 };

bool disks_has_magic(int fd, const char *type)
{
	bool ext = strcmp(type, "ext4") == 0;
	const char *magic = ext ? "\x53\xef" : "SWAPSPACE2";
	char found[16];
	size_t len = strlen(magic);

	return pread(fd, found, len, ext ? EXT_MAGIC_AT : SWAP_MAGIC_AT) == (ssize_t)len &&
	       memcmp(found, magic, len) == 0;
}

/* The node of a new partition comes a moment after its table. */
static bool exists(const char *path)
{
	for (int waited = 0; waited < WAIT_MS; waited += 50) {
		if (access(path, F_OK) == 0)
			return true;
		usleep(50 * 1000);
	}
	return false;
}

/* auto: the disk's first partition, or the disk if it has none. any: the same here, because a
 * file system that is there already is found there too. */
static void choose_device(yyjson_val *config, yyjson_val *fs, struct buf *out)
{
	const char *partition = json_text(fs, "partition", "");
	autobuf struct buf disk = { 0 };

	disks_name(config, json_text(fs, "device", ""), &disk);
	if (*partition >= '0' && *partition <= '9') {
		disks_partition_name(buf_text(&disk), (unsigned)strtoul(partition, NULL, 10), out);
		return;
	}
	if (strcmp(partition, "auto") == 0 || strcmp(partition, "any") == 0) {
		disks_partition_name(buf_text(&disk), 1, out);
		if (access(buf_text(out), F_OK) == 0)
			return;
		buf_reset(out);
	}
	buf_adds(out, buf_text(&disk));
}

static int make_ext4(const char *path, const char *label, struct err *e)
{
	/* musl's getopt wants options first. An empty label is none. */
	const char *argv[] = { "/usr/bin/mke2fs", "-q", "-F", "-t", "ext4", "-L", label, path, NULL };
	struct spawn how = { .argv = argv, .inherit_stdio = true };

	return spawn_run(&how, e);
}

static int make_fs(int *fd, const char *path, yyjson_val *fs, struct err *e)
{
	uint64_t bytes;
	int code;

	if (strcmp(json_text(fs, "filesystem", ""), "swap") != 0) {
		/* mke2fs opens it with O_EXCL itself. */
		close(take_fd(fd));
		return make_ext4(path, json_text(fs, "label", ""), e);
	}
	code = device_size(*fd, &bytes, e);
	return code < 0 ? code : disks_make_swap(*fd, bytes, e);
}

/* 1: done, 0: there was nothing to do. */
static int format(yyjson_val *config, yyjson_val *fs, const char *path, struct err *e)
{
	bool overwrite = yyjson_get_bool(yyjson_obj_get(fs, "overwrite"));
	autoclose int fd = -1;
	int code;

	if (!exists(path))
		return err_set(e, -ENOENT, "there is no such device");
	fd = disks_open(path, e);
	if (fd < 0)
		return fd;
	if (!disks_is_blank(fd)) {
		if (!overwrite && disks_has_magic(fd, json_text(fs, "filesystem", "")))
			return 0;
		if (!overwrite)
			return err_set(e, -EEXIST, "something else is on it; it is left alone, because "
					"\"overwrite: true\" is not said");
		if (!disks_may_overwrite(config, path))
			return 0;
	}
	code = make_fs(&fd, path, fs, e);
	return code < 0 ? code : 1;
}

int disks_format(yyjson_val *config)
{
	yyjson_val *fs;
	size_t i, max;
	int failures = 0;

	yyjson_arr_foreach(yyjson_obj_get(config, "fs_setup"), i, max, fs) {
		autobuf struct buf path = { 0 };
		struct err e = { "" };
		int code;

		choose_device(config, fs, &path);
		code = format(config, fs, buf_text(&path), &e);
		if (code > 0)
			log_info("%s has a new file system, %s", buf_text(&path),
				 json_text(fs, "filesystem", ""));
		if (code < 0)
			log_error("fs_setup[%zu]: %s: %s", i, buf_text(&path), e.text);
		failures += code < 0;
	}
	return failures;
}
