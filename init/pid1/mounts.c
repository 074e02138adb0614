#include "pid1/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "pid1/machine.h"

enum {
	NSE = MS_NOSUID | MS_NOEXEC,
	NSDE = MS_NOSUID | MS_NODEV | MS_NOEXEC,
};

enum need {
	NEEDED,   /* boot cannot go on without it */
	WANTED,   /* its lack is a fault that is told */
	OPTIONAL, /* the machine or kernel may well not have it */
};

static const struct mount_row {
	const char *source, *point, *type;
	unsigned long flags;
	const char *data;
	enum need need;
	mode_t mode; /* of a mount point that must be made; 0: it is there or not wanted */
} table[] = {
	{ "proc", "/proc", "proc", NSDE, NULL, NEEDED, 0555 },
	{ "sysfs", "/sys", "sysfs", NSDE, NULL, NEEDED, 0555 },
	{ "devtmpfs", "/dev", "devtmpfs", NSE, "mode=0755", NEEDED, 0755 },
	{ "tmpfs", "/run", "tmpfs", NSDE, "mode=0755,size=25%", NEEDED, 0755 },
	{ "tmpfs", "/tmp", "tmpfs", NSDE, "mode=1777,size=25%", WANTED, 01777 },
	{ "devpts", "/dev/pts", "devpts", NSE, "mode=0620,gid=5,ptmxmode=0666", WANTED, 0755 },
	{ "tmpfs", "/dev/shm", "tmpfs", NSDE, "mode=1777,size=25%", WANTED, 01777 },
	{ "mqueue", "/dev/mqueue", "mqueue", NSDE, NULL, OPTIONAL, 0755 },
	{ "cgroup2", "/sys/fs/cgroup", "cgroup2", NSDE, "nsdelegate,memory_recursiveprot",
	  WANTED, 0 },
	{ "bpf", "/sys/fs/bpf", "bpf", NSDE, "mode=0700", OPTIONAL, 0 },
	{ "securityfs", "/sys/kernel/security", "securityfs", NSDE, NULL, OPTIONAL, 0 },
	/* What the kernel said before it died, if the firmware kept it. */
	{ "pstore", "/sys/fs/pstore", "pstore", NSDE, NULL, OPTIONAL, 0 },
	/* Read-only: there is firmware that a deleted variable bricks. */
	{ "efivarfs", "/sys/firmware/efi/efivars", "efivarfs", NSDE | MS_RDONLY, NULL, OPTIONAL, 0 },
};

static const struct {
	const char *path;
	mode_t mode;
} run_folders[] = {
	{ "/run/berth", 0755 },        { "/run/berth/log", 0750 },
	{ "/run/berth/net", 0755 },    { "/run/berth/ssh", 0700 },
	{ "/run/berth/public", 0755 }, { "/run/berth/containers", 0711 },
	{ "/run/etc-upper", 0755 },    { "/run/etc-work", 0700 },
}, var_folders[] = {
	{ "/var/lib", 0755 },           { "/var/lib/berth", 0711 },
	{ "/var/lib/berth/ssh", 0700 }, { "/var/log", 0755 },
	{ "/var/tmp", 01777 },
};

static int make_folder(const char *path, mode_t mode, struct err *e)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(e, "make directory \"%s\"", path);
	/* mkdir's mode went through the umask. */
	return chmod(path, mode) < 0 ? err_sys(e, "set the mode of \"%s\"", path) : 0;
}

static int mount_row(const struct mount_row *r, struct err *e)
{
	struct stat st;

	if (r->mode && mkdir(r->point, r->mode) < 0 && errno != EEXIST && errno != EROFS)
		return err_sys(e, "make directory \"%s\"", r->point);
	if (stat(r->point, &st) < 0)
		return err_sys(e, "mount %s on \"%s\"", r->type, r->point);
	if (!mount(r->source, r->point, r->type, r->flags, r->data))
		return 0;
	/* The kernel has mounted devtmpfs itself, without our flags. */
	if (errno == EBUSY && !mount(NULL, r->point, NULL, MS_REMOUNT | MS_BIND | r->flags, NULL))
		return 0;
	return err_sys(e, "mount %s on \"%s\"", r->type, r->point);
}

int mounts_step_system(struct machine *m, struct err *say)
{
	struct err first = { 0 };
	int rc = 0;

	(void)m;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err e = { 0 };
		int failed = mount_row(&table[i], &e);

		if (failed >= 0 || table[i].need == OPTIONAL)
			continue;
		if (table[i].need == NEEDED)
			return err_set(say, failed, "%s", e.text);
		if (!first.text[0])
			first = e;
	}
	for (size_t i = 0; i < ARRAY_LEN(run_folders) && rc >= 0; i++)
		rc = make_folder(run_folders[i].path, run_folders[i].mode, say);
	/* One that is only wanted shows up where it is used (cgroups, consoles); here it is a note. */
	if (rc >= 0 && first.text[0])
		*say = first;
	return rc;
}

int mounts_step_root(struct machine *m, struct err *say)
{
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID;
	struct statvfs st;

	(void)m;
	if (statvfs("/", &st) < 0)
		return err_sys(say, "look at \"/\"");
	if (st.f_flag & ST_RDONLY)
		flags |= MS_RDONLY;
	if (mount(NULL, "/", NULL, flags, NULL) < 0)
		return err_sys(say, "remount \"/\" nosuid");
	/* Containers' mount namespaces are slaves of ours: a volume mounted later must reach them. */
	if (mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) < 0)
		return err_sys(say, "share the mounts below \"/\"");
	if (!(st.f_flag & ST_RDONLY))
		err_set(say, 0, "writable: not booted from an image");
	return 0;
}

int mounts_step_etc(struct machine *m, struct err *say)
{
	(void)m;
	if (mount("overlay", "/etc", "overlay", MS_NOSUID | MS_NODEV,
		  "lowerdir=/etc,upperdir=/run/etc-upper,workdir=/run/etc-work") < 0)
		return err_sys(say, "mount overlay on \"/etc\"");
	return 0;
}

static bool is_mount_point(const char *path)
{
	struct stat here, root;

	return !stat(path, &here) && !stat("/", &root) && here.st_dev != root.st_dev;
}

/* datavol falls back to memory itself; this is for a datavol that is missing or has crashed. */
static int mount_var_in_memory(struct err *say)
{
	if (mount("tmpfs", "/var", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=50%") < 0)
		return err_sys(say, "mount tmpfs on \"/var\"");
	return 0;
}

int mounts_step_var(struct machine *m, struct err *say)
{
	struct statfs fs;
	int rc = is_mount_point("/var") ? 0 : mount_var_in_memory(say);

	for (size_t i = 0; i < ARRAY_LEN(var_folders) && rc >= 0; i++)
		rc = make_folder(var_folders[i].path, var_folders[i].mode, say);
	/* A path of old that programs in the world still use. */
	if (rc >= 0 && symlink("../run", "/var/run") < 0 && errno != EEXIST)
		rc = err_sys(say, "link \"/var/run\"");
	if (rc >= 0 && !statfs("/var", &fs) && fs.f_type == TMPFS_MAGIC) {
		m->var_in_memory = true;
		err_set(say, 0, "IN MEMORY: nothing written to /var survives a reboot");
	}
	return rc;
}
