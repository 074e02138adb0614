#include "update/disks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/sha256.h"
#include "update/bootdisk.h"

enum { BLANK_BYTES = 1024 * 1024, CHUNK = 65536 };

void disks_partition_name(const char *disk, unsigned number, struct buf *out)
{
	size_t len = strlen(disk);
	bool digit = len && disk[len - 1] >= '0' && disk[len - 1] <= '9';

	buf_addf(out, "%s%s%u", disk, digit ? "p" : "", number);
}

void disks_name(yyjson_val *config, const char *name, struct buf *out)
{
	yyjson_val *aliases = yyjson_obj_get(config, "device_aliases");
	const char *dot = strrchr(name, '.');
	const char *disk = yyjson_get_str(yyjson_obj_get(aliases, name));
	unsigned number = 0;

	if (!disk && dot && dot[1] >= '1' && dot[1] <= '9') {
		disk = yyjson_get_str(yyjson_obj_getn(aliases, name, (size_t)(dot - name)));
		number = (unsigned)strtoul(dot + 1, NULL, 10);
	}
	if (disk && number)
		disks_partition_name(disk, number, out);
	else if (disk || *name == '/')
		buf_adds(out, disk ? disk : name);
	else
		buf_addf(out, "/dev/%s", name);
}

/* Partitions beside the root's are nobody's for the kernel: the loader, the other slot. */
static int refuse_own(const char *path, dev_t device, struct err *e)
{
	struct bootdisk own;
	int rc = bootdisk_find(&own, e);

	if (rc == -ENODEV)
		return 0; /* booted without a disk of ours */
	if (!rc)
		rc = bootdisk_holds(&own, device, e);
	return rc > 0 ? err_set(e, -EPERM, "%s is on Berth's own disk", path) : rc;
}

/* O_EXCL: the kernel says no to what is mounted, and to a disk of which a partition is. */
int disks_open(const char *path, struct err *e)
{
	autoclose int fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 && errno == EBUSY)
		return err_set(e, -EBUSY, "%s is in use", path);
	if (fd < 0)
		return err_sys(e, "cannot open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode))
		return err_set(e, -ENOTBLK, "%s is no disk", path);
	rc = refuse_own(path, st.st_rdev, e);
	return rc < 0 ? rc : take_fd(&fd);
}

bool disks_is_blank(int fd)
{
	autofree char *chunk = malloc(CHUNK);

	for (off_t at = 0; chunk && at < BLANK_BYTES; at += CHUNK) {
		ssize_t n = pread(fd, chunk, CHUNK, at);

		if (n < 0)
			return false;
		for (ssize_t i = 0; i < n; i++)
			if (chunk[i])
				return false;
		if (n < CHUNK)
			break;
	}
	return chunk != NULL;
}

bool disks_may_overwrite(yyjson_val *config, const char *what)
{
	const char *id = yyjson_get_str(yyjson_obj_get(config, "instance_id"));
	autobuf struct buf folder = { 0 }, name = { 0 };
	char digest[SHA256_HEX_MAX];
	autoclose int dir = -1;
	struct err e = { "" };
	struct stat st;

	if (!id)
		id = "iid-berth";
	sha256_hex(id, strlen(id), digest);
	buf_addf(&folder, "/var/lib/berth/instances/%.16s", digest);
	sha256_hex(what, strlen(what), digest);
	buf_addf(&name, "disk-%.16s", digest);
	if (path_mkdirs(buf_text(&folder), 0700, &e) == 0)
		dir = open(buf_text(&folder), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0 && fstatat(dir, buf_text(&name), &st, AT_SYMLINK_NOFOLLOW) == 0)
		return false;
	if (dir >= 0 && file_replace_at(dir, buf_text(&name), what, strlen(what), 0600, &e) == 0)
		return true;
	log_error("%s is left as it is: that it was overwritten could not be remembered: %s", what,
		  e.text);
	return false;
}
