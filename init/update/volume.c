#include "update/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "update/gpt.h"

/* Tells the kernel that the partition in use got longer. */
static int tell_kernel(int disk, const struct gpt *t, int index)
{
	struct blkpg_partition part = {
		.start = (long long)(t->entries[index].first * t->sector_bytes),
		.length = (long long)((t->entries[index].last - t->entries[index].first + 1) *
				      t->sector_bytes),
		.pno = index + 1,
	};
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_RESIZE_PARTITION, .datalen = sizeof(part), .data = &part,
	};

	return ioctl(disk, BLKPG, &arg) < 0 ? -errno : 0;
}

int volume_grow(struct volume *v, struct err *e)
{
	autoclose int disk = open(v->disk, O_RDWR | O_CLOEXEC);
	struct gpt t;
	uint64_t before;
	int rc = disk < 0 ? err_sys(e, "open \"%s\"", v->disk) : gpt_read(disk, &t, e);

	if (rc < 0)
		return rc;
	before = t.entries[v->index].last;
	if (!gpt_grow(&t, v->index))
		return 0;
	rc = gpt_write(disk, &t, e);
	if (!rc) {
		rc = tell_kernel(disk, &t, v->index);
		if (rc < 0)
			err_code(e, rc, "tell the kernel of the new size");
	}
	if (rc < 0)
		return rc;
	v->grew_mib = (t.entries[v->index].last - before) * t.sector_bytes >> 20;
	v->grew = true;
	return 0;
}

/* `berth.data=/dev/X` on the kernel command line, for machines that boot without our disk. */
static bool named_device(struct volume *v)
{
	static const char key[] = "berth.data=";
	autobuf struct buf cmdline = { 0 };
	const char *p;

	if (file_read_at(AT_FDCWD, "/proc/cmdline", 64 * 1024, &cmdline, NULL) < 0)
		return false;
	p = strstr(buf_text(&cmdline), key);
	if (!p)
		return false;
	p += strlen(key);
	snprintf(v->device, sizeof(v->device), "%.*s", (int)strcspn(p, " \n"), p);
	return true;
}

int volume_find(struct volume *v, struct err *e)
{
	struct bootdisk d;
	char name[BOOTDISK_NAME_MAX];
	autoclose int disk = -1;
	struct gpt t;
	int rc;

	if (named_device(v))
		return 0;
	rc = bootdisk_find(&d, e);
	if (rc < 0)
		return rc;
	if (bootdisk_in_memory(&d))
		return err_set(e, -ENODEV, "the system came over the network and runs in memory");
	snprintf(v->disk, sizeof(v->disk), "/dev/%s", d.disk);
	disk = open(v->disk, O_RDONLY | O_CLOEXEC);
	if (disk < 0)
		return err_sys(e, "open \"%s\"", v->disk);
	rc = gpt_read(disk, &t, e);
	if (rc < 0)
		return rc;
	v->index = gpt_find(&t, "data");
	if (v->index < 0)
		return err_set(e, -ENODEV, "%s has no partition named \"data\"", v->disk);
	bootdisk_partition(&d, v->index + 1, name);
	snprintf(v->device, sizeof(v->device), "/dev/%s", name);
	v->empty = t.entries[v->index].attributes & GPT_ATTR_EMPTY;
	return 0;
}

int volume_set_empty(const struct volume *v, bool empty, struct err *e)
{
	autoclose int disk = open(v->disk, O_RDWR | O_CLOEXEC);
	struct gpt t;
	int rc;

	if (disk < 0)
		return err_sys(e, "open \"%s\"", v->disk);
	rc = gpt_read(disk, &t, e);
	if (rc < 0)
		return rc;
	t.entries[v->index].attributes &= ~GPT_ATTR_EMPTY;
	t.entries[v->index].attributes |= empty ? GPT_ATTR_EMPTY : 0;
	return gpt_write(disk, &t, e);
}
