/* NoCloud: a disk with a FAT or ISO 9660 file system labelled "cidata", which holds user-data and
 * meta-data (https://docs.cloud-init.io, "NoCloud"). The label is read by a jailed child; only the
 * disk that has it is mounted, read-only, in a mount namespace that ends with this program. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/jail.h"
#include "base/path.h"
#include "bootcfg/config.h"
#include "bootcfg/label.h"
#include "bootcfg/source.h"

enum {
	DISKS_MAX = 128,
	PROBE_MS = 10000,
	AGAIN_MS = 100,
	/* Disks on USB appear on their own time; every other disk is there before PID 1 starts,
	 * because the kernel waits for it (wait_for_device_probe) before it mounts the root. */
	USB_UNTIL_MS = 3000,
};

static const char mount_point[] = "/run/berth/seed";

struct disks {
	char names[DISKS_MAX][64];
	int fds[DISKS_MAX];
	size_t count;
};

static bool is_candidate(const char *name)
{
	static const char *const never[] = { ".", "loop", "ram", "zram", "dm-", "md", "fd", "nbd",
					     "mtd" };

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (strncmp(name, never[i], strlen(never[i])) == 0)
			return false;
	return strlen(name) < 56;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int select_candidate(const struct dirent *d)
{
	return is_candidate(d->d_name);
}

static void open_disks(struct disks *disks)
{
	struct dirent **entries = NULL;
	int n = scandir("/sys/class/block", &entries, select_candidate, by_name);

	for (int i = 0; i < n; i++) {
		char *name = disks->names[disks->count];
		int fd = -1;

		if (disks->count < DISKS_MAX) {
			snprintf(name, sizeof(disks->names[0]), "/dev/%.50s", entries[i]->d_name);
			/* O_NONBLOCK: an empty drive answers at once. */
			fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		}
		if (fd >= 0)
			disks->fds[disks->count++] = fd;
		free(entries[i]);
	}
	free(entries);
}

static void close_disks(struct disks *disks)
{
	for (size_t i = 0; i < disks->count; i++)
		close(disks->fds[i]);
	disks->count = 0;
}

/* In the jail. The answer: "INDEX TYPE\n" of the first disk with the label, or nothing. */
static int probe(void *arg, struct buf *out, struct err *e)
{
	const struct disks *disks = arg;

	(void)e;
	for (size_t i = 0; i < disks->count; i++) {
		char label[LABEL_MAX] = "";
		const char *type = label_read(disks->fds[i], label);

		if (!type || strcasecmp(label, "cidata") != 0)
			continue;
		buf_addf(out, "%zu %s\n", i, type);
		return 0;
	}
	return 0;
}

/* 1: found, its name and file system filled in; 0: none; -errno. */
static int find_disk(char name[64], char type[16], struct err *e)
{
	struct disks disks = { .count = 0 };
	struct jail_task task = {
		.jail = JAIL_PROBE, .fn = probe, .arg = &disks, .max_bytes = 64,
		.timeout_ms = PROBE_MS,
	};
	autobuf struct buf answer = { 0 };
	size_t index;
	int code;

	open_disks(&disks);
	task.keep_fds = disks.fds;
	task.keep_fd_count = disks.count;
	code = disks.count ? jail_run(&task, &answer, e) : 0;
	close_disks(&disks);
	if (code < 0)
		return code;
	if (answer.len == 0)
		return 0;
	if (sscanf(buf_text(&answer), "%zu %15s", &index, type) != 2 || index >= DISKS_MAX)
		return err_set(e, -EIO, "the probe of the disks gave a strange answer");
	memcpy(name, disks.names[index], 64);
	return 1;
}

static bool has_usb(void)
{
	autodir DIR *d = opendir("/sys/bus/usb/devices");
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (strncmp(entry->d_name, "usb", 3) == 0)
			return true;
	return false;
}

static int wait_for_disk(char name[64], char type[16], struct err *e)
{
	for (;;) {
		int code = find_disk(name, type, e);

		if (code != 0 || clock_boot_ms() >= USB_UNTIL_MS || !has_usb())
			return code;
		usleep(AGAIN_MS * 1000);
	}
}

static int mount_seed(const char *disk, const char *type, struct err *e)
{
	unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int code = path_mkdirs(mount_point, 0700, e);

	if (code < 0)
		return code;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(e, "cannot make a mount namespace for the seed disk");
	if (mount(disk, mount_point, type, flags, NULL) < 0)
		return err_sys(e, "cannot mount the seed disk %s (%s)", disk, type);
	return 0;
}

/* A regular file of the seed; a disk made by anybody may hold other things under the name. */
static int read_seed_file(int dir, const char *name, struct buf *out, struct err *e)
{
	autoclose int fd = path_open_in(dir, name, O_RDONLY | O_NONBLOCK, 0, e);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "\"%s\" on the seed disk is no regular file", name);
	return file_read_fd(fd, CONFIG_TEXT_MAX, out, e);
}

static int read_seed(struct source *s, struct err *e)
{
	autoclose int dir = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code;

	if (dir < 0)
		return err_sys(e, "cannot open the seed disk");
	code = read_seed_file(dir, "user-data", &s->user_data, e);
	if (code < 0)
		return code;
	if (read_seed_file(dir, "meta-data", &s->meta_data, NULL) < 0)
		buf_reset(&s->meta_data);
	return 0;
}

int source_nocloud(struct source *out, struct err *e)
{
	struct source s = { .kind = "nocloud", .file = "user-data" };
	char disk[64], type[16];
	int code = wait_for_disk(disk, type, e);

	if (code <= 0)
		return code;
	code = mount_seed(disk, type, e);
	if (code == 0) {
		code = read_seed(&s, e);
		umount2(mount_point, MNT_DETACH);
	}
	if (code < 0) {
		source_free(&s);
		err_prefix(e, "%s", disk);
		return code;
	}
	snprintf(s.where, sizeof(s.where), "%s", disk);
	*out = s;
	return 1;
}
