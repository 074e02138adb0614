/* /init of the network boot's initramfs: makes a disk in memory out of its pieces, its root a
 * dm-verity device, and goes over into it. What fails ends this program, so that the kernel panics
 * and restarts the machine, which asks the network again. See README.md. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dm.h"
#include "base/file.h"
#include "base/log.h"

enum { COPY_BYTES = 64 * 1024, TABLE_BYTES_MAX = 4096 };

#define PIECES "/disk"
#define DISK "/berth.disk"
#define ROOT "/system"

static int mount_devices(struct err *e)
{
	return mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755") < 0 ?
		err_sys(e, "mount /dev") : 0;
}

/* A piece's name is its place on the disk, in hexadecimal. It goes when it was copied, so that no
 * more than one is in memory twice. */
static int copy_piece(int dir, const char *name, int disk, struct err *e)
{
	static char bytes[COPY_BYTES];
	char *end;
	off_t at = (off_t)strtoull(name, &end, 16);
	autoclose int piece = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	int rc = 0;

	if (*end)
		return err_set(e, -EINVAL, "\"%s\" is no piece of the disk", name);
	if (piece < 0 || lseek(disk, at, SEEK_SET) < 0)
		return err_sys(e, "open the piece \"%s\"", name);
	while (!rc && (n = read(piece, bytes, sizeof(bytes))) > 0)
		rc = file_write_all(disk, bytes, (size_t)n);
	if (rc < 0)
		return err_code(e, rc, "put the disk together in memory");
	return n < 0 || unlinkat(dir, name, 0) < 0 ? err_sys(e, "read the piece \"%s\"", name) : 0;
}

/* What no piece covers stays a hole, which takes no memory. */
static int make_disk(struct err *e)
{
	autodir DIR *d = opendir(PIECES);
	autoclose int disk = open(DISK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct dirent *entry;
	int rc = 0;

	if (!d || disk < 0)
		return err_sys(e, "open the pieces of the disk");
	while (!rc && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			rc = copy_piece(dirfd(d), entry->d_name, disk, e);
	return rc;
}

/* As /dev/loop0 with its partitions, which is how everybody else finds what is on it. */
static int attach_disk(struct err *e)
{
	autoclose int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	autoclose int disk = open(DISK, O_RDWR | O_CLOEXEC);
	autoclose int loop = -1;
	struct loop_config config = {
		.fd = (uint32_t)disk, .block_size = 512, .info.lo_flags = LO_FLAGS_PARTSCAN,
	};

	if (control < 0 || disk < 0 || ioctl(control, LOOP_CTL_GET_FREE) < 0)
		return err_sys(e, "get a loop device");
	loop = open("/dev/loop0", O_RDWR | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_CONFIGURE, &config) < 0)
		return err_sys(e, "attach the disk");
	return unlink(DISK) < 0 ? err_sys(e, "unlink \"%s\"", DISK) : 0;
}

/* /table: "SECTORS TABLE", which image-build/disk/pxe.py wrote. */
static int verify_root(struct err *e)
{
	autobuf struct buf text = { 0 };
	unsigned long long sectors;
	int at = 0, rc = file_read_at(AT_FDCWD, "/table", TABLE_BYTES_MAX, &text, e);

	if (rc < 0)
		return rc;
	if (sscanf(buf_text(&text), "%llu %n", &sectors, &at) != 1 || !at)
		return err_set(e, -EINVAL, "\"/table\" is no verity table");
	return dm_make_verity("berth-root", sectors, text.data + at, e);
}

static int enter_root(struct err *e)
{
	if (mkdir(ROOT, 0755) < 0 || mount("/dev/dm-0", ROOT, "erofs", MS_RDONLY, NULL) < 0)
		return err_sys(e, "mount the root");
	/* As the kernel itself leaves it to /sbin/init. */
	if (mount("/dev", ROOT "/dev", NULL, MS_MOVE, NULL) < 0)
		return err_sys(e, "move /dev");
	unlink("/init");
	if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		return err_sys(e, "go over into the root");
	execl("/sbin/init", "/sbin/init", (char *)NULL);
	return err_sys(e, "start /sbin/init");
}

int main(void)
{
	static int (*const steps[])(struct err *e) = {
		mount_devices, make_disk, attach_disk, verify_root, enter_root,
	};
	struct err e = { "" };

	log_name("netboot");
	if (getpid() != 1) {
		log_error("this is /init of the network boot's initramfs");
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i](&e) < 0)
			break;
	log_error("%s", e.text);
	return 1;
}
