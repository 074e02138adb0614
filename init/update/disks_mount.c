/* mounts and swap. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/spawn.h"
#include "update/disks.h"
#include "update/json.h"

enum { PAGE = 4096, WAIT_MS = 5000 };

#define MIB (1024ULL * 1024)

/* ---- mounts ---- */
void disks_fields(yyjson_val *mount, yyjson_val *defaults, const char *out[FSTAB_FIELDS])
{
	static const char *const usual[FSTAB_FIELDS] = { "", "", "auto", "defaults,nofail", "0", "2" };

	for (size_t i = 0; i < FSTAB_FIELDS; i++) {
		const char *said = yyjson_get_str(yyjson_arr_get(mount, i));
		const char *normal = yyjson_get_str(yyjson_arr_get(defaults, i));

		out[i] = said && *said ? said : normal && *normal ? normal : usual[i];
	}
}

static bool has_option(const char *options, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = options; *p; p += strcspn(p, ","), p += *p == ',')
		if (strcspn(p, ",") == len && strncmp(p, word, len) == 0)
			return true;
	return false;
}

/* What mount(2) knows: without the words that are for other programs. */
static void kernel_options(const char *options, struct buf *out)
{
	static const char *const others[] = { "defaults", "nofail", "auto", "noauto", "_netdev",
					      "user", "nouser", "users" };

	for (const char *p = options; *p; p += strcspn(p, ","), p += *p == ',') {
		size_t len = strcspn(p, ",");
		bool skip = len == 0 || strncmp(p, "x-", 2) == 0 || strncmp(p, "comment=", 8) == 0;

		for (size_t i = 0; i < ARRAY_LEN(others); i++)
			skip = skip || (strlen(others[i]) == len && strncmp(p, others[i], len) == 0);
		if (!skip)
			buf_addf(out, "%s%.*s", out->len ? "," : "", (int)len, p);
	}
}

/* A disk on USB or a slow controller may come late; a tag is looked up by mount itself. */
static bool wait_for(const char *spec)
{
	for (int waited = 0; *spec == '/'; waited += 100) {
		if (access(spec, F_OK) == 0)
			return true;
		if (waited >= WAIT_MS)
			return false;
		usleep(100 * 1000);
	}
	return true;
}

static int run_mount(const char *const f[FSTAB_FIELDS], const char *spec, struct err *e)
{
	autobuf struct buf options = { 0 };
	const char *argv[12] = { "/usr/bin/mount" };
	size_t n = 1;
	struct spawn how = { .argv = argv, .inherit_stdio = true };

	kernel_options(f[FSTAB_OPTIONS], &options);
	if (strcmp(f[FSTAB_TYPE], "auto") != 0) {
		argv[n++] = "-t";
		argv[n++] = f[FSTAB_TYPE];
	}
	if (options.len) {
		argv[n++] = "-o";
		argv[n++] = buf_text(&options);
	}
	argv[n++] = spec;
	argv[n] = f[FSTAB_FILE];
	return spawn_run(&how, e);
}

static int is_mounted(const char *path)
{
	struct stat here, above;
	autobuf struct buf parent = { 0 };

	buf_addf(&parent, "%s/..", path);
	return stat(path, &here) == 0 && stat(buf_text(&parent), &above) == 0 &&
	       here.st_dev != above.st_dev;
}

static int mount_one(const char *const f[FSTAB_FIELDS], const char *spec, struct err *e)
{
	if (!wait_for(spec))
		return err_set(e, -ENODEV, "there is no such device");
	if (strcmp(f[FSTAB_TYPE], "swap") == 0) {
		if (swapon(spec, 0) < 0 && errno != EBUSY)
			return err_sys(e, "cannot swap on %s", spec);
		return 0;
	}
	if (is_mounted(f[FSTAB_FILE]))
		return 0;
	if (path_mkdirs(f[FSTAB_FILE], 0755, e) < 0) {
		err_prefix(e, "only below /var, /mnt, /home and /etc can folders be made");
		return -EROFS;
	}
	return run_mount(f, spec, e);
}

int disks_mount(yyjson_val *config)
{
	yyjson_val *defaults = yyjson_obj_get(config, "mount_default_fields"), *mount;
	size_t i, max;
	int failures = 0;

	yyjson_arr_foreach(yyjson_obj_get(config, "mounts"), i, max, mount) {
		const char *f[FSTAB_FIELDS];
		autobuf struct buf spec = { 0 };
		struct err e = { "" };

		disks_fields(mount, defaults, f);
		if (has_option(f[FSTAB_OPTIONS], "noauto"))
			continue;
		if (strchr(f[FSTAB_SPEC], '=') || strcmp(f[FSTAB_TYPE], "tmpfs") == 0)
			buf_adds(&spec, f[FSTAB_SPEC]);
		else
			disks_name(config, f[FSTAB_SPEC], &spec);
		if (mount_one(f, buf_text(&spec), &e) == 0)
			continue;
		if (has_option(f[FSTAB_OPTIONS], "nofail")) {
			log_warn("mounts[%zu]: %s: %s", i, buf_text(&spec), e.text);
			continue;
		}
		log_error("mounts[%zu]: %s: %s", i, buf_text(&spec), e.text);
		failures++;
	}
	return failures;
}

/* ---- swap ---- */

/* include/linux/swap.h, union swap_header: version 1, the last page's number, and the magic at the
 * page's end. */
int disks_make_swap(int fd, uint64_t bytes, struct err *e)
{
	unsigned char page[PAGE] = { 0 };
	uint64_t last = bytes / PAGE - 1;

	if (bytes < 10 * PAGE)
		return err_set(e, -ENOSPC, "it is too small for swap");
	if (last > UINT32_MAX)
		last = UINT32_MAX;
	page[1024] = 1;
	for (int i = 0; i < 4; i++)
		page[1028 + i] = (unsigned char)(last >> (8 * i));
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, page, PAGE, 0) != PAGE || fsync(fd) < 0)
		return err_sys(e, "cannot write the swap area");
	return 0;
}

uint64_t disks_swap_size(uint64_t memory, uint64_t room, uint64_t max)
{
	uint64_t size = memory < 128 * MIB ? 128 * MIB : memory;

	if (size > room / 8)
		size = room / 8;
	if (max && size > max)
		size = max;
	return size / MIB * MIB;
}

uint64_t disks_swap_there(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !disks_has_magic(fd, "swap"))
		return 0;
	return (uint64_t)st.st_size;
}

/* "auto" is decided once: the room is another one at each boot, and less by this very file. */
static uint64_t wanted_size(yyjson_val *swap, uint64_t there)
{
	yyjson_val *size = yyjson_obj_get(swap, "size");
	uint64_t max = (uint64_t)yyjson_get_sint(yyjson_obj_get(swap, "maxsize"));
	struct sysinfo info;
	struct statvfs fs;

	if (!yyjson_is_str(size))
		return (uint64_t)yyjson_get_sint(size);
	if (there && (!max || there <= max))
		return there;
	if (sysinfo(&info) < 0 || statvfs("/var", &fs) < 0)
		return 0;
	return disks_swap_size((uint64_t)info.totalram * info.mem_unit,
			       (uint64_t)fs.f_bavail * fs.f_frsize, max);
}

/* What is there, of another size or half made, is no loss. */
static int make_file(const char *path, uint64_t bytes, struct err *e)
{
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return err_sys(e, "cannot make %s", path);
	rc = ftruncate(fd, 0) < 0 ? errno : posix_fallocate(fd, 0, (off_t)bytes);
	if (rc) {
		unlink(path);
		return err_code(e, -rc, "cannot make %s of %llu MiB", path,
				(unsigned long long)(bytes / MIB));
	}
	return disks_make_swap(fd, bytes, e);
}

static int swap_file(yyjson_val *swap, struct err *e)
{
	const char *path = json_text(swap, "filename", "/var/swap.img");
	uint64_t there = disks_swap_there(path);
	uint64_t bytes = wanted_size(swap, there) / PAGE * PAGE;
	int code;

	if (!bytes)
		return 0;
	code = there == bytes ? 0 : make_file(path, bytes, e);
	if (code < 0)
		return code;
	if (swapon(path, 0) < 0 && errno != EBUSY)
		return err_sys(e, "cannot swap on %s", path);
	log_info("swap of %llu MiB on %s", (unsigned long long)(bytes / MIB), path);
	return 0;
}

/* Compressed memory, before the file: swap of the higher priority is used first. */
static int swap_zram(yyjson_val *zram, struct err *e)
{
	uint64_t bytes = (uint64_t)yyjson_get_sint(zram);
	autobuf struct buf text = { 0 };
	autoclose int fd = -1;
	struct sysinfo info;
	int code;

	if (yyjson_is_str(zram) && sysinfo(&info) == 0)
		bytes = (uint64_t)info.totalram * info.mem_unit / 100 *
			strtoul(yyjson_get_str(zram), NULL, 10);
	bytes = bytes / PAGE * PAGE;
	buf_addf(&text, "%llu", (unsigned long long)bytes);
	code = file_put_at(AT_FDCWD, "/sys/block/zram0/disksize", buf_text(&text), e);
	if (code == -EBUSY)
		return 0; /* set up before */
	fd = code < 0 ? -1 : open("/dev/zram0", O_RDWR | O_CLOEXEC);
	if (code == 0 && fd < 0)
		return err_sys(e, "cannot open /dev/zram0");
	if (code == 0)
		code = disks_make_swap(fd, bytes, e);
	if (code == 0 && swapon("/dev/zram0", SWAP_FLAG_PREFER | 100) < 0)
		return err_sys(e, "cannot swap on /dev/zram0");
	if (code == 0)
		log_info("swap of %llu MiB in compressed memory", (unsigned long long)(bytes / MIB));
	return code;
}

int disks_swap(yyjson_val *config)
{
	yyjson_val *zram = yyjson_obj_get(yyjson_obj_get(config, "berth"), "zram");
	yyjson_val *swap = yyjson_obj_get(config, "swap");
	struct err e = { "" };
	int failures = 0;

	if (zram && swap_zram(zram, &e) < 0) {
		log_error("berth.zram: %s", e.text);
		failures++;
	}
	if (swap && swap_file(swap, &e) < 0) {
		log_error("swap: %s", e.text);
		failures++;
	}
	return failures;
}
