/* The child of "exec": from a copy of the runtime to a process of the container. It never comes
 * back: it execs, or it tells the parent why not. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/console.h"
#include "oci/exec.h"
#include "oci/process.h"
#include "oci/sync.h"
#include "oci/sys.h"

enum { DEVPTS_MAGIC = 0x1cd1 };

/* Static, since the process's user and groups are much for a stack. */
static struct process self;

static int join(const struct exec *x, struct err *e)
{
	int rc;

	if (x->namespaces && setns(x->target, (int)x->namespaces) < 0)
		return errno == ESRCH ? err_set(e, -ESRCH, "cannot exec in a stopped container") :
					err_sys(e, "join the container's namespaces");
	rc = x->user_namespace ? process_become_root(x->config.spec.linux_, e) : 0;
	if (rc < 0)
		return rc;
	/* Both of the above may have made us dumpable: from here on the container sees us, and must
	 * neither look into our memory nor take our executable (CVE-2016-9962, CVE-2019-5736). */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "hide the runtime from the container");
	return setsid() < 0 ? err_sys(e, "start a session") : 0;
}

static int open_root(struct err *e)
{
	self.root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return self.root < 0 ? err_sys(e, "open the root file system") : 0;
}

/* CVE-2025-52565: what lies at /dev/pts is the container's word, so it is looked at. */
static int open_terminal(const struct exec *x, struct err *e)
{
	autoclose int devpts = -1;
	struct statfs fs;

	if (!x->process->terminal)
		return 0;
	devpts = sys_openat2(self.root, "/dev/pts", O_PATH | O_DIRECTORY,
			     RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	if (devpts < 0 || fstatfs(devpts, &fs) < 0)
		return err_sys(e, "open the container's \"/dev/pts\"");
	if (fs.f_type != DEVPTS_MAGIC)
		return err_set(e, -ENODEV, "the container's \"/dev/pts\" is not a devpts mount");
	self.terminal = console_open(devpts, x->console, &x->process->consoleSize, e);
	return self.terminal < 0 ? self.terminal : 0;
}

/* Behind the filter that has it; the parent hands it to the seccomp agent. */
static int give_listener(void *to, int fd, struct err *e)
{
	const struct sync_message m = { .kind = SYNC_LISTENER };
	const struct exec *x = to;
	struct sync_message go;

	if (sync_send_fd(x->sync, &m, fd) < 0)
		return err_sys(e, "hand the seccomp listener over");
	return sync_receive(x->sync, &go) < 0 || go.kind != SYNC_GO ?
		       err_set(e, -EPIPE, "the runtime is gone") :
		       0;
}

static int set_up(const struct exec *x, struct err *e)
{
	int rc = join(x, e);

	if (!rc)
		rc = open_root(e);
	if (!rc)
		rc = open_terminal(x, e);
	if (!rc)
		rc = process_look_up(&self, e);
	return rc < 0 ? rc : process_enter(&self, e);
}

static void wait_for_go(int sync)
{
	struct sync_message m;

	if (sync_receive(sync, &m) < 0 || m.kind != SYNC_GO)
		_exit(1);
}

_Noreturn void exec_child(struct exec *x)
{
	struct sync_message m = { .kind = SYNC_READY };

	self = (struct process){ .spec = x->process,
				 .user_name = x->user_name,
				 .groups = x->group_names,
				 .caps = &x->caps,
				 .filter = &x->filter,
				 .personality = x->config.spec.linux_->personality,
				 .proc = x->proc,
				 .root = -1,
				 .terminal = -1,
				 .preserve_fds = x->preserve_fds,
				 .give_listener = give_listener,
				 .give_to = x };
	m.code = set_up(x, &m.err);
	if (m.code < 0)
		m.kind = SYNC_FAILED;
	m.uid = self.user.uid;
	m.gid = self.user.gid;
	if (sync_send(x->sync, &m) < 0 || m.kind == SYNC_FAILED)
		_exit(1);
	wait_for_go(x->sync);
	process_exec(&self, x->sync);
}
