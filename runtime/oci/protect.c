#include "oci/protect.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "oci/devices.h"
#include "oci/sys.h"

extern char **environ;

int protect_self(const struct oci_linux *l, char **argv, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	autoclose int exe = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	autoclose int tree = -1;
	struct statvfs st;
	uint32_t uid, gid;

	devices_root_ids(l, &uid, &gid);
	if (uid != 0)
		return 0;
	if (exe < 0 || fstatvfs(exe, &st) < 0)
		return err_sys(e, "look at the runtime's executable");
	if (st.f_flag & ST_RDONLY)
		return 0;
	/* A mount of the file alone: its /proc/PID/exe leads to this mount, where a write is EROFS,
	 * and nobody can remount it, for no path and no namespace has it. */
	tree = sys_open_tree(exe, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || sys_mount_setattr(tree, 0, &attr) < 0)
		return err_sys(e, "make a read-only copy of the runtime");
	syscall(SYS_execveat, tree, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(e, "run a read-only copy of the runtime");
}
