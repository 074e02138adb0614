/* install: the running system onto a disk, from an installer stick for example. `berth install`
 * executes it. What is on the disk is lost, so the person says its name once more. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/dm.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/spawn.h"
#include "update/bootdisk.h"
#include "update/clone.h"
#include "update/content.h"
#include "update/delta.h"
#include "update/device.h"
#include "update/verity.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };
enum {
	NAME_BYTES_MAX = 64,
	CONFIG_BYTES_MAX = 1 << 20,
	HEAD_BYTES = 4096,
};

#define MOUNT_POINT "/run/berth/install"

static const char usage[] =
	"Usage:  berth install [--erase NAME] [--user-data FILE] /dev/DISK\n\n"
	"Copies the running system onto the disk: it becomes a machine of its own, with slot A as it\n"
	"runs here, nothing in slot B, and a data partition that takes the rest. What is on the disk is\n"
	"lost, so its name is asked for, or given with --erase. The file with --user-data is the new\n"
	"machine's configuration, where no other one is found.\n";

struct disk {
	char name[NAME_BYTES_MAX]; /* "vdb" */
	char path[NAME_BYTES_MAX + 8];
	uint64_t bytes;
	int direct, plain;
};

static void close_disk(struct disk *d)
{
	if (d->direct >= 0)
		close(d->direct);
	if (d->plain >= 0)
		close(d->plain);
}

#define autodisk __attribute__((cleanup(close_disk)))

/* A whole disk that nobody uses. O_EXCL on a block device fails while it, or a partition of it, is
 * mounted or part of something (open(2)). */
static int open_target(struct disk *d, const char *path, const struct bootdisk *running,
		       struct err *e)
{
	char sysfs[NAME_BYTES_MAX + 32];
	int read_only = 0;

	if (strncmp(path, "/dev/", 5) != 0 || strchr(path + 5, '/') || strlen(path + 5) >= NAME_BYTES_MAX)
		return err_set(e, -EINVAL, "\"%s\" is no disk: expected a name such as /dev/sda", path);
	snprintf(d->name, sizeof(d->name), "%s", path + 5);
	snprintf(d->path, sizeof(d->path), "%s", path);
	if (!strcmp(d->name, running->disk))
		return err_set(e, -EBUSY, "%s is the disk that this system runs from", path);
	snprintf(sysfs, sizeof(sysfs), "/sys/block/%s", d->name);
	if (access(sysfs, F_OK) < 0)
		return err_set(e, -ENODEV, "there is no whole disk \"%s\"", path);
	d->plain = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (d->plain < 0 && errno == EBUSY)
		return err_set(e, -EBUSY, "%s is in use: something of it is mounted", path);
	if (d->plain < 0)
		return err_sys(e, "open \"%s\"", path);
	if (ioctl(d->plain, BLKROGET, &read_only) == 0 && read_only)
		return err_set(e, -EROFS, "%s cannot be written to", path);
	d->direct = device_open(path, e);
	return d->direct < 0 ? d->direct : device_size(d->direct, &d->bytes, e);
}

static bool confirmed(const struct disk *d, const char *erase)
{
	char line[NAME_BYTES_MAX + 2] = "";

	if (erase)
		return !strcmp(erase, d->name);
	fprintf(stderr, "Everything on %s (%llu.%llu GB) will be LOST. Type its name, %s, to go on: ",
		d->path, (unsigned long long)(d->bytes / 1000000000),
		(unsigned long long)(d->bytes / 100000000 % 10), d->name);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return !strcmp(line, d->name);
}

/* ---- what is copied ---- */

static int read_table(const char *path, struct gpt *t, int *fd, struct err *e)
{
	autoclose int plain = open(path, O_RDONLY | O_CLOEXEC);
	int rc = plain < 0 ? err_sys(e, "open \"%s\"", path) : gpt_read(plain, t, e);

	if (rc < 0)
		return rc;
	*fd = device_open(path, e);
	return *fd < 0 ? *fd : 0;
}

/* The running images' sizes. The root is checked on the way: a damaged one is not worth a copy. */
static int measure(const struct slots *s, struct clone *c, struct err *e)
{
	autobuf struct buf table = { 0 };
	autoclose int boot = device_open(s->boot[s->running], e);
	autoclose int root = boot < 0 ? -1 : device_open(s->root[s->running], e);
	autofree void *head = device_buffer(HEAD_BYTES), *ahead = device_buffer(DEVICE_AHEAD_BYTES);
	struct verity v;
	struct verity_levels levels;
	struct device_reader r = { .fd = root, .held = ahead };
	int rc = boot < 0 || root < 0 ? -EIO : 0;

	if (rc < 0)
		return rc;
	if (!head || !ahead)
		return err_set(e, -ENOMEM, "out of memory");
	rc = device_read(boot, head, HEAD_BYTES, 0);
	if (rc < 0)
		return err_code(e, rc, "read %s", s->boot[s->running]);
	if (content_ext_bytes(head, &c->boot_bytes) < 0)
		return err_set(e, -EBADMSG, "%s holds no ext2 file system", s->boot[s->running]);
	if (!rc)
		rc = dm_table("berth-root", &table, e);
	if (!rc && (delta_running_tree(buf_text(&table), &v) < 0 || verity_layout(&v, &levels) < 0))
		rc = err_set(e, -EINVAL, "the running root has no hash tree");
	if (rc < 0)
		return rc;
	c->root_bytes = r.bytes = levels.end * VERITY_BLOCK_BYTES;
	return verity_check(&v, device_read_block, &r, e);
}

static void show(void *arg, const char *doing, uint64_t done, uint64_t total)
{
	int *shown = arg, percent = (int)(done * 100 / total);

	if (percent / 25 != *shown / 25 || done == total)
		log_info("%s, %d %%", doing, percent);
	*shown = percent;
}

/* ---- the new machine's configuration ---- */

static int run(const char *const *argv, struct err *e)
{
	const struct spawn s = { .argv = argv, .inherit_stdio = true };

	return spawn_run(&s, e);
}

/* On its data partition, which is formatted for that now instead of at the first boot. */
static int keep_user_data(const struct disk *d, struct gpt *t, const struct buf *text,
			  struct err *e)
{
	int index = gpt_find(t, "data"), rc;
	struct bootdisk disk;
	char name[BOOTDISK_NAME_MAX], device[BOOTDISK_NAME_MAX + 8];
	const char *const argv[] = { "/usr/lib/berth/datavol", "make", device, NULL };

	snprintf(disk.disk, sizeof(disk.disk), "%s", d->name);
	bootdisk_partition(&disk, index + 1, name);
	snprintf(device, sizeof(device), "/dev/%s", name);
	rc = run(argv, e);
	if (!rc)
		rc = path_mkdirs(MOUNT_POINT, 0700, e);
	if (!rc && mount(device, MOUNT_POINT, "ext4", MS_NOATIME | MS_NODEV | MS_NOSUID, NULL) < 0)
		rc = err_sys(e, "mount %s", device);
	if (rc < 0)
		return rc;
	rc = path_mkdirs(MOUNT_POINT "/lib/berth/config", 0755, e);
	if (!rc)
		rc = file_replace_at(AT_FDCWD, MOUNT_POINT "/lib/berth/config/user-data", buf_text(text),
				     text->len, 0600, e);
	if (umount2(MOUNT_POINT, 0) < 0 && !rc)
		rc = err_sys(e, "unmount %s", device);
	if (rc < 0)
		return rc;
	t->entries[index].attributes &= ~GPT_ATTR_EMPTY;
	return gpt_write(d->plain, t, e);
}

/* ---- all of it ---- */

/* While the whole disk is ours alone nobody may mount a partition of it: neither may we. */
static int release(struct disk *d, struct err *e)
{
	close(d->plain);
	d->plain = open(d->path, O_RDWR | O_CLOEXEC);
	return d->plain < 0 ? err_sys(e, "open \"%s\"", d->path) : 0;
}

static int install(struct disk *d, const struct slots *s, const struct bootdisk *running,
		   const struct buf *user_data, struct err *e)
{
	autofree struct gpt *from = calloc(1, sizeof(*from)), *to = calloc(1, sizeof(*to));
	unsigned char guids[GPT_ENTRIES_MAX + 1][16];
	char path[BOOTDISK_NAME_MAX + 8];
	struct clone c = { .source = -1, .target = d->direct, .table = d->plain, .from = from, .to = to,
			   .running = s->running };
	int sector = 512, shown = 0, rc;

	if (!from || !to || getrandom(guids, sizeof(guids), 0) != sizeof(guids))
		return err_set(e, -ENOMEM, "install: out of memory");
	for (size_t i = 0; i < ARRAY_LEN(guids); i++) { /* RFC 9562: version 4 */
		guids[i][7] = (guids[i][7] & 0x0f) | 0x40;
		guids[i][8] = (guids[i][8] & 0x3f) | 0x80;
	}
	snprintf(path, sizeof(path), "/dev/%s", running->disk);
	rc = read_table(path, from, &c.source, e);
	if (!rc && (ioctl(d->plain, BLKSSZGET, &sector) < 0 || (uint32_t)sector != from->sector_bytes))
		rc = err_set(e, -EINVAL, "%s has sectors of %d bytes, this system is made for %u", d->path,
			     sector, from->sector_bytes);
	if (!rc)
		rc = clone_layout(from, d->bytes / from->sector_bytes,
				  (const unsigned char(*)[16])guids, to, e);
	if (!rc)
		rc = measure(s, &c, e);
	if (!rc)
		rc = clone_write(&c, show, &shown, e);
	if (c.source >= 0)
		close(c.source);
	if (!rc && ioctl(d->plain, BLKRRPART) < 0)
		rc = err_sys(e, "have the kernel read %s's new table", d->path);
	if (!rc)
		rc = release(d, e);
	return rc < 0 || !user_data->len ? rc : keep_user_data(d, to, user_data, e);
}

static int begin(const char *target, const char *erase, const char *user_data, struct err *e)
{
	autodisk struct disk d = { .direct = -1, .plain = -1 };
	autobuf struct buf text = { 0 };
	struct bootdisk running;
	struct slots s;
	int rc = slots_find(&s, e);

	if (!rc)
		rc = bootdisk_find(&running, e);
	if (!rc && user_data)
		rc = file_read_at(AT_FDCWD, user_data, CONFIG_BYTES_MAX, &text, e);
	if (!rc)
		rc = open_target(&d, target, &running, e);
	if (rc < 0)
		return rc;
	if (!confirmed(&d, erase))
		return err_set(e, -EPERM, "nothing was changed: the name was not \"%s\"", d.name);
	rc = install(&d, &s, &running, &text, e);
	if (!rc)
		log_info("%s is a machine of its own now; take this disk away and start from it", d.path);
	return rc;
}

int main(int argc, char **argv)
{
	const char *target = NULL, *erase = NULL, *user_data = NULL;
	struct err e = { "" };

	log_name("install");
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return fputs(usage, stdout) < 0 ? EXIT_FAILED : EXIT_OK;
		if (!strcmp(argv[i], "--erase") && i + 1 < argc)
			erase = argv[++i];
		else if (!strcmp(argv[i], "--user-data") && i + 1 < argc)
			user_data = argv[++i];
		else if (!target && argv[i][0] != '-')
			target = argv[i];
		else
			target = "", i = argc;
	}
	if (!target || !*target) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (begin(target, erase, user_data, &e) == 0)
		return EXIT_OK;
	log_error("%s", e.text);
	return EXIT_FAILED;
}
