#include "bootcfg/disks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "bootcfg/label.h"

enum {
	DISKS_MAX = 128,
	PROBE_MS = 10000,
	AGAIN_MS = 100,
	ANSWER_MAX = DISKS_MAX * (LABEL_MAX + 32),
	/* Disks on USB appear on their own time; every other disk is there before PID 1 starts,
	 * because the kernel waits for it (wait_for_device_probe) before it mounts the root. */
	USB_UNTIL_MS = 3000,
	UEVENT_MAX = 4096,
};

static const char mount_point[] = "/run/berth/seed";

/* Labels that a USB disk is waited for. */
static const char *const awaited[] = { "cidata", "config-2" };

struct disks {
	char names[DISKS_MAX][64];
	int fds[DISKS_MAX];
	size_t count;
};

/* What was found, "INDEX TYPE LABEL\n" in the order of the disks. */
static struct {
	bool done;
	struct disks disks; /* the names alone */
	struct buf labels;
} scan;

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

	disks->count = 0;
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

/* In the jail. A label's blanks and control characters are made visible: it is one word. */
static int probe(void *arg, struct buf *out, struct err *e)
{
	const struct disks *disks = arg;

	(void)e;
	for (size_t i = 0; i < disks->count; i++) {
		char label[LABEL_MAX] = "";
		const char *type = label_read(disks->fds[i], label);

		for (char *c = label; *c; c++)
			if ((unsigned char)*c <= ' ' || *c == 0x7f)
				*c = '_';
		if (type && *label)
			buf_addf(out, "%zu %s %s\n", i, type, label);
	}
	return 0;
}

static int look_at_disks(struct err *e)
{
	struct jail_task task = {
		.jail = JAIL_PROBE, .fn = probe, .arg = &scan.disks, .max_bytes = ANSWER_MAX,
		.timeout_ms = PROBE_MS, .keep_fds = scan.disks.fds,
	};
	int code;

	open_disks(&scan.disks);
	task.keep_fd_count = scan.disks.count;
	buf_reset(&scan.labels);
	code = scan.disks.count ? jail_run(&task, &scan.labels, e) : 0;
	for (size_t i = 0; i < scan.disks.count; i++)
		close(scan.disks.fds[i]);
	return code;
}

static bool label_is(const char *label, const char *wanted)
{
	size_t len = strcspn(wanted, "*");

	return strncasecmp(label, wanted, len) == 0 && (wanted[len] == '*' || !label[len]);
}

/* In what was found. */
static bool find_label(const char *wanted, struct disk *out)
{
	const char *end;

	/* A line's end is not taken for granted: the child that wrote it has read hostile disks. */
	for (const char *at = buf_text(&scan.labels); (end = strchr(at, '\n')); at = end + 1) {
		char type[16], label[LABEL_MAX];
		size_t index;

		if (sscanf(at, "%zu %15s %32s", &index, type, label) != 3 ||
		    index >= scan.disks.count || !label_is(label, wanted))
			continue;
		snprintf(out->device, sizeof(out->device), "%s", scan.disks.names[index]);
		snprintf(out->type, sizeof(out->type), "%s", type);
		return true;
	}
	return false;
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

static bool found_awaited(void)
{
	struct disk ignored;

	for (size_t i = 0; i < ARRAY_LEN(awaited); i++)
		if (find_label(awaited[i], &ignored))
			return true;
	return false;
}

int disk_by_label(const char *label, struct disk *out, struct err *e)
{
	while (!scan.done) {
		int code = look_at_disks(e);

		if (code < 0)
			return code;
		scan.done = found_awaited() || clock_boot_ms() >= USB_UNTIL_MS || !has_usb();
		if (!scan.done)
			usleep(AGAIN_MS * 1000);
	}
	return find_label(label, out);
}

/* "vda5" under the root's dm-verity device -> ".../block/vda", its disk in sysfs. */
static bool root_disk(char path[PATH_MAX])
{
	autodir DIR *slaves = opendir("/sys/block/dm-0/slaves");
	char link[PATH_MAX];
	struct dirent *entry;

	while (slaves && (entry = readdir(slaves))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(link, sizeof(link), "/sys/class/block/%.64s/partition", entry->d_name);
		if (access(link, F_OK) < 0)
			return false;
		snprintf(link, sizeof(link), "/sys/class/block/%.64s/..", entry->d_name);
		return realpath(link, path) != NULL;
	}
	return false;
}

int disk_esp(struct disk *out, struct err *e)
{
	char path[PATH_MAX];
	autodir DIR *disk = root_disk(path) ? opendir(path) : NULL;
	struct dirent *entry;

	(void)e;
	while (disk && (entry = readdir(disk))) {
		autobuf struct buf text = { 0 };
		char uevent[300];

		if (entry->d_type != DT_DIR || !is_candidate(entry->d_name))
			continue;
		snprintf(uevent, sizeof(uevent), "%s/uevent", entry->d_name);
		if (file_read_at(dirfd(disk), uevent, UEVENT_MAX, &text, NULL) < 0 ||
		    !strstr(buf_text(&text), "PARTNAME=esp\n"))
			continue;
		snprintf(out->device, sizeof(out->device), "/dev/%.50s", entry->d_name);
		snprintf(out->type, sizeof(out->type), "vfat");
		return 1;
	}
	return 0;
}

int disk_mount(const struct disk *d, struct err *e)
{
	unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int fd, code = path_mkdirs(mount_point, 0700, e);

	if (code < 0)
		return code;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(e, "cannot make a mount namespace for %s", d->device);
	if (mount(d->device, mount_point, d->type, flags, NULL) < 0)
		return err_sys(e, "cannot mount %s (%s)", d->device, d->type);
	fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "cannot open %s", d->device) : fd;
}

void disk_unmount(void)
{
	umount2(mount_point, MNT_DETACH);
}

int disk_read(int root, const char *path, size_t max, struct buf *out, struct err *e)
{
	autoclose int fd = path_open_in(root, path, O_RDONLY | O_NONBLOCK, 0, e);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "\"%s\" is no regular file", path);
	return file_read_fd(fd, max, out, e);
}
