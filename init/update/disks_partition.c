/* disk_setup: a GPT with partitions in percent of the disk. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "update/device.h"
#include "update/disks.h"
#include "update/gpt.h"

enum { MIB = 1024 * 1024, MBR_BYTES = 512, MBR_ENTRY = 446, TABLE_SECTORS = 34 };

/* UEFI specification, table 5.7 has the format; the type is "Linux file system data". */
static const unsigned char linux_data[16] = { 0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
					      0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4 };

/* RFC 4122, version 4. */
static int make_guid(unsigned char guid[16])
{
	if (getrandom(guid, 16, 0) != 16)
		return -EIO;
	guid[7] = (unsigned char)((guid[7] & 0x0f) | 0x40);
	guid[8] = (unsigned char)((guid[8] & 0x3f) | 0x80);
	return 0;
}

/* What a system that knows no GPT is to see: one partition over the whole disk. */
static int write_protective_mbr(int fd, uint64_t sectors, struct err *e)
{
	unsigned char mbr[MBR_BYTES] = { 0 };
	uint64_t last = sectors - 1 > UINT32_MAX ? UINT32_MAX : sectors - 1;

	mbr[MBR_ENTRY + 2] = 2; /* first sector, in the old counting */
	mbr[MBR_ENTRY + 4] = 0xee;
	memset(mbr + MBR_ENTRY + 5, 0xff, 3);
	mbr[MBR_ENTRY + 8] = 1;
	for (int i = 0; i < 4; i++)
		mbr[MBR_ENTRY + 12 + i] = (unsigned char)(last >> (8 * i));
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
	return pwrite(fd, mbr, sizeof(mbr), 0) == (ssize_t)sizeof(mbr) ? 0 :
								 err_sys(e, "write its first sector");
}

/* Shares of the room between the tables, each from and to a whole MiB. */
static int lay_out(struct gpt *t, yyjson_val *layout)
{
	uint64_t unit = MIB / t->sector_bytes, at = t->first_usable, room;
	uint64_t total = 0;
	yyjson_val *share;
	size_t i, max;

	room = (t->last_usable + 1 - t->first_usable) / unit;
	yyjson_arr_foreach(layout, i, max, share) {
		struct gpt_entry *entry = &t->entries[i];
		uint64_t end;

		total += (uint64_t)yyjson_get_sint(share);
		end = t->first_usable + room * total / 100 * unit;
		if (end <= at)
			return -ENOSPC;
		memcpy(entry->type, linux_data, sizeof(linux_data));
		entry->first = at;
		entry->last = end - 1;
		at = end;
		if (make_guid(entry->unique) < 0)
			return -EIO;
	}
	return 0;
}

static int write_table(int fd, yyjson_val *layout, struct err *e)
{
	struct gpt t = { .entry_count = GPT_ENTRIES_MAX };
	uint64_t bytes;
	int sector = 0, code = device_size(fd, &bytes, e);

	if (code < 0)
		return code;
	if (ioctl(fd, BLKSSZGET, &sector) < 0)
		return err_sys(e, "cannot ask for its sectors");
	if (sector < MBR_BYTES || sector > 4096)
		return err_set(e, -EINVAL, "it has sectors of %d bytes", sector);
	t.sector_bytes = (uint32_t)sector;
	t.disk_sectors = bytes / t.sector_bytes;
	if (bytes < 4 * MIB)
		return err_set(e, -ENOSPC, "it is smaller than 4 MiB");
	t.first_usable = MIB / t.sector_bytes;
	t.last_usable = t.disk_sectors - TABLE_SECTORS;
	t.backup = t.disk_sectors - 1;
	code = make_guid(t.guid);
	if (code == 0)
		code = lay_out(&t, layout);
	if (code == -ENOSPC)
		return err_set(e, code, "a partition of it would be empty");
	if (code < 0)
		return err_code(e, code, "make up its partitions' numbers");
	code = gpt_write(fd, &t, e);
	if (code == 0)
		code = write_protective_mbr(fd, t.disk_sectors, e);
	if (code == 0 && (fsync(fd) < 0 || ioctl(fd, BLKRRPART) < 0))
		return err_sys(e, "cannot tell the kernel of the new partitions");
	return code;
}

/* 1: done, 0: there was nothing to do. */
static int partition(yyjson_val *config, yyjson_val *disk, const char *path, struct err *e)
{
	yyjson_val *layout = yyjson_obj_get(disk, "layout");
	autoclose int fd = -1;
	int code;

	if (!yyjson_arr_size(layout))
		return 0;
	fd = disks_open(path, e);
	if (fd < 0)
		return fd == -EBUSY ? 0 : fd; /* its partitions are in use: it was done before */
	if (!disks_is_blank(fd) && (!yyjson_get_bool(yyjson_obj_get(disk, "overwrite")) ||
				    !disks_may_overwrite(config, path)))
		return 0;
	code = write_table(fd, layout, e);
	return code < 0 ? code : 1;
}

int disks_partition(yyjson_val *config)
{
	yyjson_val *disk;
	size_t i, max;
	int failures = 0;

	yyjson_arr_foreach(yyjson_obj_get(config, "disk_setup"), i, max, disk) {
		const char *name = yyjson_get_str(yyjson_obj_get(disk, "device"));
		autobuf struct buf path = { 0 };
		struct err e = { "" };
		int code;

		disks_name(config, name, &path);
		code = partition(config, disk, buf_text(&path), &e);
		if (code > 0)
			log_info("%s has a new partition table", buf_text(&path));
		if (code < 0)
			log_error("disk_setup: %s: %s", buf_text(&path), e.text);
		failures += code < 0;
	}
	return failures;
}
