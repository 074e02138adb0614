#include "oci/protect.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "oci/devices.h"
#include "oci/sys.h"

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

extern char **environ;

/* A mount of the file alone: its /proc/PID/exe leads to this mount, where a write is EROFS, and
 * nobody can remount it, for no path and no namespace has it. */
static int open_read_only(int exe)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	autoclose int tree = sys_open_tree(exe, "",
					   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return tree < 0 || sys_mount_setattr(tree, 0, &attr) < 0 ? -errno : take_fd(&tree);
}

/* For who may not make mounts: a copy that nobody can write to. */
static int open_sealed(int exe)
{
	autoclose int copy = memfd_create("berth-oci", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;

	if (copy < 0 || fstat(exe, &st) < 0)
		return -errno;
	for (off_t done = 0; done < st.st_size;) {
		ssize_t n = sendfile(copy, exe, &done, (size_t)(st.st_size - done));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return fcntl(copy, F_ADD_SEALS, SEALS) < 0 ? -errno : take_fd(&copy);
}

static bool is_safe(int exe, uint32_t root)
{
	struct statvfs fs;
	struct stat st;

	if (fcntl(exe, F_GET_SEALS) == SEALS)
		return true;
	if (fstat(exe, &st) < 0 || fstatvfs(exe, &fs) < 0)
		return false;
	return fs.f_flag & ST_RDONLY || (root != 0 && st.st_uid != root);
}

int protect_self(const struct oci_linux *l, char **argv, struct err *e)
{
	autoclose int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	autoclose int safe = -1;
	uint32_t uid, gid;

	devices_root_ids(l, &uid, &gid);
	if (exe < 0)
		return err_sys(e, "look at the runtime's executable");
	if (is_safe(exe, uid))
		return 0;
	safe = open_read_only(exe);
	if (safe == -EPERM)
		safe = open_sealed(exe);
	if (safe < 0)
		return err_code(e, safe, "make a read-only copy of the runtime");
	syscall(SYS_execveat, safe, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(e, "run a read-only copy of the runtime");
}
