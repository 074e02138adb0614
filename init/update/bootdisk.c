#include "update/bootdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

/* dm-verity has the data and the hash device, which are one and the same partition here. */
int bootdisk_root_partition(char out[BOOTDISK_NAME_MAX], struct err *e)
{
	autodir DIR *slaves = opendir("/sys/block/dm-0/slaves");
	struct dirent *entry;

	while (slaves && (entry = readdir(slaves))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(out, BOOTDISK_NAME_MAX, "%.32s", entry->d_name);
		return 0;
	}
	return err_set(e, -ENODEV, "the root is not on a dm-verity device of a disk");
}

int bootdisk_find(struct bootdisk *out, struct err *e)
{
	char partition[BOOTDISK_NAME_MAX], path[PATH_MAX], target[PATH_MAX];
	char *slash, *disk;
	ssize_t n;
	int rc = bootdisk_root_partition(partition, e);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "/sys/class/block/%s/partition", partition);
	if (access(path, F_OK) < 0)
		return err_set(e, -ENODEV, "the root lies on the whole of \"%s\", not on a partition",
			       partition);
	snprintf(path, sizeof(path), "/sys/class/block/%s", partition);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return err_sys(e, "look up partition \"%s\"", partition);
	target[n] = '\0';
	/* .../block/vda/vda5: the directory above the partition is its disk. */
	slash = strrchr(target, '/');
	if (!slash)
		return err_set(e, -ENODEV, "partition \"%s\" has no disk in sysfs", partition);
	*slash = '\0';
	disk = strrchr(target, '/');
	if (!disk || strlen(disk + 1) > 32)
		return err_set(e, -ENODEV, "partition \"%s\" has no disk in sysfs", partition);
	snprintf(out->disk, sizeof(out->disk), "%.32s", disk + 1);
	return 0;
}

bool bootdisk_in_memory(const struct bootdisk *d)
{
	return !strncmp(d->disk, "loop", 4);
}

void bootdisk_partition(const struct bootdisk *d, int number, char out[BOOTDISK_NAME_MAX])
{
	size_t len = strlen(d->disk);
	/* The kernel puts a p between when the disk's name ends in a digit (disk_name()). */
	const char *between = len && d->disk[len - 1] >= '0' && d->disk[len - 1] <= '9' ? "p" : "";

	snprintf(out, BOOTDISK_NAME_MAX, "%.32s%s%d", d->disk, between, number);
}

/* The last name in the first `len` bytes of a path. */
static bool last_is(const char *path, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && path[len - n - 1] == '/' && !strncmp(path + len - n, name, n);
}

/* .../block/vda is a disk, .../block/vda/vda5 a partition. */
bool bootdisk_holds_link(const struct bootdisk *d, const char *link)
{
	const char *slash = strrchr(link, '/');

	return last_is(link, strlen(link), d->disk) ||
	       (slash && last_is(link, (size_t)(slash - link), d->disk));
}

int bootdisk_holds(const struct bootdisk *d, dev_t device, struct err *e)
{
	char path[64], link[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(device), minor(device));
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return err_sys(e, "look up \"%s\"", path);
	link[n] = '\0';
	return bootdisk_holds_link(d, link);
}
