/* datavol: brings the data partition up on /var, or says why it could not and gives /var memory.
 *
 *   datavol          at boot (PID 1's service `data`)
 *   datavol make DEV makes the file system on a partition that is not ours yet (install)
 *   datavol format   marks the partition as empty, so that the next boot makes a new file system
 *   reset            (its other name) the same, or with the data kept; asks, and restarts
 *
 * What is on the disk is never formatted by guess: only while the partition's entry in the GPT
 * carries GPT_ATTR_EMPTY. The order that makes a power cut harmless: grow the table (gpt_write),
 * make the file system, flush, and only then clear the attribute. A cut before that: the next
 * boot starts over; after it: the file system is whole. One that is there already grows mounted. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/spawn.h"
#include "update/content.h"
#include "update/device.h"
#include "update/reset.h"
#include "update/volume.h"

/* resize2fs leaves what is too small for a block group's own tables. */
enum { WORTHWHILE_BYTES = 16 << 20 };

static int run(const char *const *argv)
{
	const struct spawn s = { .argv = argv, .inherit_stdio = true };
	struct child c;
	struct err e = { 0 };
	int rc = spawn(&s, &c, &e);

	if (rc < 0) {
		log_error("%s", e.text);
		return rc;
	}
	return spawn_wait(&c);
}

static int make_filesystem(const struct volume *v, struct err *e)
{
	const char *const argv[] = {
		"/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", "berth-data", "-m", "1",
		"-O", "quota,project", "-E",
		"quotatype=prjquota,lazy_itable_init=1,lazy_journal_init=1,nodiscard",
		v->device, NULL,
	};
	autoclose int device = -1;
	int rc;

	log_info("making an ext4 file system on %s", v->device);
	rc = run(argv);
	if (rc)
		return err_set(e, -EIO, "mke2fs of %s ended with code %d", v->device, rc);
	device = open(v->device, O_RDONLY | O_CLOEXEC);
	if (device < 0 || fsync(device) < 0)
		return err_sys(e, "flush %s", v->device);
	return *v->disk ? volume_set_empty(v, false, e) : 0;
}

/* e2fsck(8), "EXIT CODE": 0 clean, 1 mended, 2 mended and reboot wanted (only if mounted). */
static int check_filesystem(const struct volume *v, struct err *e)
{
	const char *const preen[] = { "/usr/sbin/e2fsck", "-p", v->device, NULL };
	const char *const full[] = { "/usr/sbin/e2fsck", "-f", "-y", v->device, NULL };
	int rc = run(preen);

	if (rc >= 0 && rc <= 2)
		return 0;
	log_warn("%s has damage that the quick check leaves alone: checking all of it", v->device);
	rc = run(full);
	if (rc >= 0 && rc <= 2)
		return 0;
	return err_set(e, -EIO, "%s is damaged beyond what e2fsck can mend (code %d)", v->device, rc);
}

/* An ext4 or an allowed blank becomes ready to mount; anything else stays as it is. */
static int prepare(const struct volume *v, struct err *e)
{
	autoclose int device = open(v->device, O_RDONLY | O_CLOEXEC);
	enum content found;
	int rc;

	if (device < 0)
		return err_sys(e, "open \"%s\"", v->device);
	rc = content_of(device, &found, e);
	if (rc < 0)
		return rc;
	if (v->empty || (!*v->disk && found == CONTENT_BLANK))
		return make_filesystem(v, e);
	if (found != CONTENT_EXT4)
		return err_set(e, -EUCLEAN, "%s holds no ext4 file system and was left alone; to lose what "
			       "is on it and start anew: /usr/lib/berth/datavol format, then reboot",
			       v->device);
	return check_filesystem(v, e);
}

static int mount_data(const struct volume *v, struct err *e)
{
	/* No noexec: programs in volumes are what containers run. */
	if (mount(v->device, "/var", "ext4", MS_NOATIME | MS_NODEV | MS_NOSUID,
		  "errors=remount-ro,prjquota") < 0)
		return err_sys(e, "mount %s on /var", v->device);
	return 0;
}

/* By its size and not because the table has just changed, so that a power cut between the two loses
 * nothing; and mounted, since resize2fs wants a full check first of one that is not. */
static void fill_partition(const struct volume *v)
{
	const char *const resize[] = { "/usr/sbin/resize2fs", v->device, NULL };
	autoclose int device = open(v->device, O_RDONLY | O_CLOEXEC);
	unsigned char start[CONTENT_EXT_START];
	uint64_t room, bytes;
	struct err e = { 0 };
	int rc = device < 0 ? err_sys(&e, "open \"%s\"", v->device) : device_size(device, &room, &e);

	if (!rc && pread(device, start, sizeof(start), 0) != sizeof(start))
		rc = err_sys(&e, "read \"%s\"", v->device);
	if (!rc && content_ext_bytes(start, &bytes) < 0)
		rc = err_set(&e, -EBADMSG, "%s holds no ext4", v->device);
	if (!rc && room >= bytes + WORTHWHILE_BYTES && run(resize))
		rc = err_set(&e, -EIO, "resize2fs of %s failed", v->device);
	if (rc < 0)
		log_warn("the data partition's file system stays as large as it is: %s", e.text);
}

static int mount_memory(struct err *e)
{
	if (mount("var", "/var", "tmpfs", MS_NODEV | MS_NOSUID, "mode=755,size=50%") < 0)
		return err_sys(e, "mount memory on /var");
	return 0;
}

static void report(const char *state, const char *device, const char *reason)
{
	autobuf struct buf json = { 0 };
	struct err e = { 0 };

	buf_addf(&json, "{\"state\":\"%s\",\"device\":", state);
	buf_add_json_string(&json, device, strlen(device));
	buf_adds(&json, ",\"reason\":");
	buf_add_json_string(&json, reason, strlen(reason));
	buf_adds(&json, "}\n");
	if (path_mkdirs("/run/berth", 0755, &e) < 0 ||
	    file_replace_at(AT_FDCWD, "/run/berth/data.json", buf_text(&json), json.len, 0644, &e) < 0)
		log_warn("%s", e.text);
}

static int make_tree(struct err *e)
{
	static const struct {
		const char *path;
		mode_t mode;
	} dirs[] = {
		{ "/var/lib/berth", 0755 },         { "/var/lib/berth/containers", 0711 },
		{ "/var/lib/berth/volumes", 0711 }, { "/var/lib/berth/config", 0700 },
		{ "/var/lib/berth/ssh", 0700 },     { "/var/log", 0755 },
		{ "/var/tmp", 01777 },
	};
	static const char *const links[][2] = { { "/run", "/var/run" }, { "/run/lock", "/var/lock" } };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		int rc = path_mkdirs(dirs[i].path, 0755, e);

		if (rc < 0)
			return rc;
		if (chmod(dirs[i].path, dirs[i].mode) < 0)
			return err_sys(e, "set the mode of \"%s\"", dirs[i].path);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST)
			return err_sys(e, "link \"%s\"", links[i][1]);
	return 0;
}

static enum reset_kind asked_at_the_boot_menu(void)
{
	autobuf struct buf cmdline = { 0 };

	file_read_at(AT_FDCWD, "/proc/cmdline", 64 * 1024, &cmdline, NULL);
	return reset_asked(buf_text(&cmdline));
}

static int bring_up(struct volume *v, struct err *e)
{
	int rc = volume_find(v, e);

	if (!rc && *v->disk && volume_grow(v, e) < 0)
		log_warn("%s stays as large as it is: %s", v->device, e->text);
	if (v->grew)
		log_info("%s grew by %llu MiB", v->device, (unsigned long long)v->grew_mib);
	if (!rc && *v->disk && asked_at_the_boot_menu() == RESET_ALL) {
		rc = volume_set_empty(v, true, e);
		v->empty = !rc;
	}
	if (!rc)
		rc = prepare(v, e);
	if (!rc)
		rc = mount_data(v, e);
	if (!rc && *v->disk)
		fill_partition(v);
	return rc;
}

/* One that was asked for before the restart, or at the boot menu. */
static void go_on_with_reset(void)
{
	autoclose int var = open("/var", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };
	int rc = var < 0 ? err_sys(&e, "open /var") : 0;

	if (!rc && asked_at_the_boot_menu() == RESET_KEEP_DATA)
		rc = reset_mark(var, &e);
	if (!rc)
		rc = reset_go_on(var, &e);
	if (rc > 0)
		log_info("the machine was reset: its data, its name and its configuration are left");
	if (rc < 0)
		log_error("the reset is not done, the next boot goes on with it: %s", e.text);
}

static int at_boot(void)
{
	struct volume v = { 0 };
	struct err why = { 0 }, e = { 0 };

	if (bring_up(&v, &why) == 0) {
		report("persistent", v.device, "");
		go_on_with_reset();
		log_info("%s is on /var", v.device);
	} else {
		log_warn("no data partition: %s", why.text);
		log_warn("/var is in memory: NOTHING written to it outlives a reboot");
		report("memory", v.device, why.text);
		if (mount_memory(&e) < 0) {
			log_error("%s", e.text);
			return 1;
		}
	}
	if (make_tree(&e) < 0) {
		log_error("%s", e.text);
		return 1;
	}
	return 0;
}

static int mark_for_format(void)
{
	struct volume v = { 0 };
	struct err e = { 0 };

	if (volume_find(&v, &e) < 0 || (*v.disk && volume_set_empty(&v, true, &e) < 0)) {
		log_error("%s", e.text);
		return 1;
	}
	if (!*v.disk) {
		log_error("%s was named by berth.data=: blank its first MiB to have it formatted", v.device);
		return 1;
	}
	log_info("%s gets a new file system at the next boot; what is on it will be LOST", v.device);
	return 0;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (!strcmp(slash ? slash + 1 : argv[0], "reset"))
		return reset_command(argc, argv);
	log_name("datavol");
	if (argc == 1)
		return at_boot();
	if (argc == 2 && !strcmp(argv[1], "format"))
		return mark_for_format();
	if (argc == 3 && !strcmp(argv[1], "make")) {
		struct volume v = { 0 };
		struct err e = { 0 };

		snprintf(v.device, sizeof(v.device), "%s", argv[2]);
		if (make_filesystem(&v, &e) == 0)
			return 0;
		log_error("%s", e.text);
		return 1;
	}
	log_error("expected no argument, \"make DEVICE\" or \"format\"");
	return 2;
}
