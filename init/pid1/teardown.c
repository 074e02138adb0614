/* The end of mounts. Relies on nothing but the kernel: no helper, no configuration. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "pid1/mountinfo.h"
#include "pid1/mounts.h"

enum { PASSES = 5, MOUNTINFO_MAX_BYTES = 4 * 1024 * 1024 };

/* Ours to the last moment, and nothing on them is kept. */
static bool is_left_alone(const char *point)
{
	static const char *const points[] = { "/", "/proc", "/sys", "/dev", "/run" };

	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		if (!strcmp(points[i], point))
			return true;
	return false;
}

static bool is_on_disk(const char *type)
{
	static const char *const types[] = { "ext4", "vfat", "xfs", "btrfs", "iso9660" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i], type))
			return true;
	return false;
}

struct pass {
	int unmounted;
	int left_on_disk;
	bool last;
};

static void take_down(const char *point, const char *type, void *arg)
{
	struct pass *p = arg;

	if (is_left_alone(point))
		return;
	if (!umount2(point, UMOUNT_NOFOLLOW)) {
		p->unmounted++;
		return;
	}
	if (!is_on_disk(type))
		return;
	/* Not MS_BIND: the file system itself must become read-only, so that its journal is done. */
	if (p->last && !mount(NULL, point, NULL, MS_REMOUNT | MS_RDONLY, NULL))
		return;
	p->left_on_disk++;
}

/* Without /proc: what we know by heart. */
static int take_down_known(void)
{
	if (!umount2("/var", UMOUNT_NOFOLLOW) || errno == EINVAL)
		return 0;
	return mount(NULL, "/var", NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0;
}

int mounts_take_down(void)
{
	struct pass p = { 0 };

	for (int i = 0; i < PASSES; i++) {
		autobuf struct buf text = { 0 };

		p = (struct pass){ .last = i == PASSES - 1 || (i && !p.unmounted) };
		if (file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX_BYTES, &text, NULL) < 0 ||
		    !text.len)
			return take_down_known();
		mountinfo_backwards(text.data, take_down, &p);
		if (p.last || !p.left_on_disk)
			break;
	}
	return p.left_on_disk;
}
