#include "update/medium.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "update/bundle.h"

enum { NAME_BYTES_MAX = 256 };

static const char mount_point[] = "/run/berth/medium";

static const struct {
	const char *type, *options;
} file_systems[] = {
	{ "vfat", NULL },
	{ "ext4", "noload" }, /* the journal of somebody else's disk is not ours to play back */
	{ "iso9660", NULL },
};

bool medium_is_disk(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISBLK(st.st_mode);
}

static bool is_bundle_name(const char *name)
{
	static const char ending[] = ".bundle";
	size_t len = strlen(name);

	/* A dot in front: what some systems leave beside each file that they copy. */
	return name[0] != '.' && len > sizeof(ending) - 1 &&
	       !strcmp(name + len - (sizeof(ending) - 1), ending);
}

int medium_find(int dir, struct err *e)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *d = again < 0 ? NULL : fdopendir(again);
	char found[NAME_BYTES_MAX] = "";
	autoclose int fd = -1;
	struct dirent *entry;
	struct stat st;

	if (!d)
		return err_sys(e, "read the disk");
	while ((entry = readdir(d))) {
		if (!is_bundle_name(entry->d_name))
			continue;
		if (*found)
			return err_set(e, -EINVAL, "there is \"%s\" and \"%s\": expected one bundle",
				       found, entry->d_name);
		snprintf(found, sizeof(found), "%s", entry->d_name);
	}
	if (!*found)
		return err_set(e, -ENOENT, "there is no file named *.bundle at its top");
	fd = path_open_in(dir, found, O_RDONLY | O_NONBLOCK, 0, e);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "\"%s\" is no regular file", found);
	return take_fd(&fd);
}

static int mount_it(const char *device, struct err *e)
{
	const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int rc = path_mkdirs(mount_point, 0700, e);

	if (rc < 0)
		return rc;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(e, "make a mount namespace");
	for (size_t i = 0; i < ARRAY_LEN(file_systems); i++)
		if (mount(device, mount_point, file_systems[i].type, flags, file_systems[i].options) == 0)
			return 0;
	return err_set(e, -EUCLEAN, "it holds neither a bundle nor a file system of FAT, ext4 or ISO 9660 "
		       "(on a disk with partitions, name the partition)");
}

static int open_in_file_system(const char *device, struct err *e)
{
	autoclose int dir = -1;
	int fd, rc = mount_it(device, e);

	if (rc < 0)
		return rc;
	dir = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = dir < 0 ? err_sys(e, "open \"%s\"", mount_point) : medium_find(dir, e);
	umount2(mount_point, MNT_DETACH);
	return fd;
}

int medium_open(const char *device, struct err *e)
{
	char head[BUNDLE_HEAD_BYTES];
	struct bundle_head ignored;
	int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_sys(e, "open \"%s\"", device);
	if (pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	    bundle_head_parse(head, &ignored, NULL) == 0)
		return fd;
	close(fd);
	fd = open_in_file_system(device, e);
	if (fd < 0)
		err_prefix(e, "%s", device);
	return fd;
}
