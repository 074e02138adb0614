/* The child of "create": from a clone of the runtime in new namespaces to the container's first
 * process. It never comes back: it execs, or it tells the parent why not. */
#include <errno.h>
#include <linux/sched.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "oci/console.h"
#include "oci/create.h"
#include "oci/paths.h"
#include "oci/process.h"
#include "oci/sync.h"
#include "oci/sysctl.h"
#include "oci/sys.h"
#include "spec/oci_make.h"

enum { PROC_MAGIC = 0x9fa0 };

/* The child's own view; static, since the process's user and groups are much for a stack. */
struct init {
	struct create *c;
	int proc;     /* a procfs mount that nobody else sees or has changed */
	int null;     /* for masked paths */
	int root;     /* the container's "/" */
	pid_t pid;    /* as the host numbers it */
	bool placed;  /* the root file system is mounted */
	struct process process;
};

static struct init self;

/* The mount namespace is somebody else's as well. */
static bool has_shared_mounts(const struct create *c)
{
	return namespaces_joins(&c->ns, CLONE_NEWNS);
}

/* ---- before the pivot: with the host's paths in sight, none of the container's ---- */

static int wait_for_go(struct init *i, struct err *e)
{
	struct sync_message m;
	int rc = sync_receive(i->c->sync, &m);

	if (rc < 0 || m.kind != SYNC_GO)
		return err_set(e, -EPIPE, "the runtime is gone");
	i->pid = m.pid;
	i->c->devices.bind |= m.bind_devices;
	return 0;
}

/* Of this one the creator is never a member; its clocks are set before anybody is. */
static int make_time_namespace(struct init *i, struct err *e)
{
	const struct sync_message clocks = { .kind = SYNC_CLOCKS };

	if (!(i->c->ns.new_flags & CLONE_NEWTIME))
		return 0;
	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(e, "make a time namespace");
	if (i->c->config.spec.linux_->timeOffsets.count && sync_send(i->c->sync, &clocks) < 0)
		return err_set(e, -EPIPE, "the runtime is gone");
	return 0;
}

static int become_root(struct init *i, struct err *e)
{
	int rc = 0;

	/* In a new user namespace the ids are unmapped ones until they are set. */
	if (namespaces_own(&i->c->ns, CLONE_NEWUSER))
		rc = process_become_root(i->c->config.spec.linux_, e);
	if (!rc && i->c->ns.new_flags & CLONE_NEWTIME)
		rc = namespaces_enter_time(e);
	if (rc < 0)
		return rc;
	/* A change of ids made us dumpable again: nobody may look into the runtime's memory or take
	 * its executable from /proc (CVE-2016-9962, CVE-2019-5736). */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "hide the runtime from the container");
	if (setsid() < 0)
		return err_sys(e, "start a session");
	if (i->c->ns.new_flags & CLONE_NEWCGROUP && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "make a cgroup namespace");
	return namespaces_join_mount(&i->c->ns, e);
}

static int open_proc(struct init *i, struct err *e)
{
	autoclose int fs = sys_fsopen("proc");
	struct statfs st;

	if (fs >= 0 && !sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL))
		i->proc = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	/* Without a pid namespace of its own a user namespace may not mount one. */
	if (i->proc < 0)
		i->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (i->proc < 0 || fstatfs(i->proc, &st) < 0)
		return err_sys(e, "open procfs");
	i->process.proc = i->proc;
	return st.f_type == PROC_MAGIC ? 0 : err_set(e, -ENODEV, "\"/proc\" is not procfs");
}

static int open_mounts(struct init *i, struct err *e)
{
	struct mount_attr private = { .propagation = MS_PRIVATE };
	autoclose int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct create *c = i->c;
	int rc = 0;

	/* Nothing from here on may show on the host. A joined namespace is its owner's to set up. */
	if (!has_shared_mounts(c) &&
	    (old < 0 || sys_mount_setattr(old, AT_RECURSIVE, &private) < 0))
		return err_sys(e, "make mounts private");
	if (c->child_opens)
		rc = create_open_files(c, e);
	if (!rc)
		rc = open_proc(i, e);
	if (!rc)
		rc = mounts_open_filesystems(&c->mounts, &c->ns, e);
	if (rc < 0)
		return rc;
	i->null = paths_open_null(e);
	return i->null < 0 ? i->null : 0;
}

/* ---- the root file system and what is mounted in it ---- */

/* Over "/", so that no path of the host is walked for it; but hooks look for it where root.path
 * says, and in a joined namespace "/" is not ours. */
static int place_root(struct init *i, struct err *e)
{
	struct create *c = i->c;
	const char *place = create_has_pause(c) || has_shared_mounts(c) ? c->rootfs_path : "/";
	autoclose int target = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (target < 0 || sys_move_mount(c->rootfs, target) < 0)
		return err_sys(e, "mount the root file system on \"%s\"", place);
	i->placed = true;
	return 0;
}

static int attach_mounts(struct init *i, struct err *e)
{
	struct create *c = i->c;
	int rc = mounts_attach(&c->mounts, c->rootfs, e);

	if (!rc && c->child_opens && devices_have_rest(&c->config.spec, &c->mounts))
		rc = devices_make_rest(c->rootfs, &c->config.spec, &c->mounts, &c->devices, e);
	return rc;
}

/* The parent makes device nodes and runs its hooks. */
static int pause_mounted(struct init *i, struct err *e)
{
	const struct sync_message mounted = { .kind = SYNC_MOUNTED, .placed = true };

	if (!create_has_pause(i->c))
		return 0;
	if (sync_send(i->c->sync, &mounted) < 0)
		return err_set(e, -EPIPE, "the runtime is gone");
	return wait_for_go(i, e);
}

static int bind_devices(struct init *i, struct err *e)
{
	struct create *c = i->c;

	return c->devices.bind ? devices_bind(c->rootfs, &c->config.spec, &c->mounts, e) : 0;
}

static int run_create_hooks(struct init *i, struct err *e)
{
	const struct hook_state state = create_state(i->c, "creating", i->pid);

	return hooks_run(i->c->config.spec.hooks, HOOK_CREATE_CONTAINER, &state, e);
}

static int pivot(struct init *i, int old, struct err *e)
{
	if (old < 0 || fchdir(i->c->rootfs) < 0 || sys_pivot_root(".", ".") < 0)
		return err_sys(e, "pivot_root");
	/* Now "." is the old root, stacked upon the new: it goes, and all that was under it. */
	if (fchdir(old) < 0 || sys_umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "leave the host's file system");
	return 0;
}

static int enter_root(struct init *i, struct err *e)
{
	autoclose int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	/* To pivot would change "/" for everybody in a joined mount namespace. */
	if (!has_shared_mounts(i->c))
		rc = pivot(i, old, e);
	else if (fchdir(i->c->rootfs) < 0 || chroot(".") < 0)
		rc = err_sys(e, "change to the root file system");
	if (rc < 0)
		return rc;
	if (chdir("/") < 0)
		return err_sys(e, "change to the root file system");
	i->root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	i->process.root = i->root;
	return i->root < 0 ? err_sys(e, "open the root file system") : 0;
}

/* ---- after it: every path is the container's ---- */

static int open_console(struct init *i, struct err *e)
{
	const struct oci_process *p = i->c->config.spec.process;
	const struct mounts *m = &i->c->mounts;
	int devpts = -1, terminal;

	if (!p->terminal)
		return 0;
	for (size_t k = 0; k < m->count; k++)
		if (m->plans[k].type && !strcmp(m->plans[k].type, "devpts"))
			devpts = m->plans[k].fd;
	if (devpts < 0)
		return err_set(e, -EINVAL, "process.terminal: needs a devpts mount");
	terminal = console_open(devpts, i->c->console, &p->consoleSize, e);
	i->process.terminal = terminal;
	return terminal < 0 ? terminal : console_bind(terminal, i->root, e);
}

static int set_sysctls(struct init *i, struct err *e)
{
	return sysctl_set(&i->c->config.spec, i->proc, e);
}

static int protect_paths(struct init *i, struct err *e)
{
	return paths_protect(i->root, i->null, i->c->config.spec.linux_, e);
}

static int look_up_process(struct init *i, struct err *e)
{
	int rc = process_look_up(&i->process, e);

	return rc < 0 ? rc : process_make_cwd(&i->process, e);
}

/* A read-only root is the last change to the file system. */
static int seal_root(struct init *i, struct err *e)
{
	struct mount_attr attr = { 0 };
	const char *word = i->c->config.spec.linux_->rootfsPropagation;
	bool recursive = false;

	if (i->c->config.spec.root->readonly)
		attr.attr_set = MOUNT_ATTR_RDONLY;
	if (attr.attr_set && sys_mount_setattr(i->c->rootfs, 0, &attr) < 0)
		return err_sys(e, "make the root file system read-only");
	if (!word || !word[0])
		return 0;
	attr = (struct mount_attr){ .propagation = mounts_propagation(word, &recursive) };
	if (!attr.propagation)
		return err_set(e, -EINVAL, "linux.rootfsPropagation: unknown word \"%s\"", word);
	if (sys_mount_setattr(i->c->rootfs, recursive ? AT_RECURSIVE : 0, &attr) < 0)
		return err_sys(e, "set the propagation of the root file system");
	return 0;
}

static int enter_process(struct init *i, struct err *e)
{
	return process_enter(&i->process, e);
}

/* ---- the order of it all ---- */

typedef int step_fn(struct init *i, struct err *e);

static step_fn *const steps[] = {
	make_time_namespace, wait_for_go,      become_root,   open_mounts,     place_root,
	attach_mounts,	     pause_mounted,    bind_devices,  run_create_hooks, enter_root,
	open_console,	     set_sysctls,      look_up_process, protect_paths, seal_root,
	enter_process,
};

static _Noreturn void fail(struct init *i, int code, const struct err *e)
{
	struct sync_message m = { .kind = SYNC_FAILED, .code = code, .placed = i->placed, .err = *e };

	/* A mount namespace of the container's own ends with it. A joined one the parent leaves as it
	 * was, and if that is gone whoever is left. */
	if (sync_send(i->c->sync, &m) < 0 && i->placed && has_shared_mounts(i->c) &&
	    !fchdir(i->c->rootfs))
		sys_umount2(".", MNT_DETACH);
	_exit(1);
}

/* The container is "created" until "start" connects and says so; without a word (the command died)
 * it ends. Errors go back on the connection, which exec closes. */
static int wait_for_start(struct init *i)
{
	int connection = accept4(i->c->listener, NULL, NULL, SOCK_CLOEXEC);
	char word;

	if (connection < 0 || read(connection, &word, 1) != 1)
		_exit(1);
	return connection;
}

/* Behind the filter that has it. */
static int give_listener(void *to, int fd, struct err *e)
{
	const struct sync_message m = { .kind = SYNC_LISTENER };
	struct init *i = to;

	if (sync_send_fd(i->c->sync, &m, fd) < 0)
		return err_sys(e, "hand the seccomp listener over");
	return wait_for_go(i, e);
}

static int run_start_hooks(void *arg, struct err *e)
{
	struct init *i = arg;
	const struct hook_state state = create_state(i->c, "created", i->pid);

	return hooks_run(i->c->config.spec.hooks, HOOK_START_CONTAINER, &state, e);
}

void init_run(struct create *c)
{
	struct sync_message ready = { .kind = SYNC_READY };
	const struct string_map *notes = &c->config.spec.annotations;
	struct err e = { 0 };

	self = (struct init){ .c = c, .proc = -1, .null = -1, .root = -1 };
	self.process = (struct process){ .spec = c->config.spec.process,
					 .user_name = string_map_get(notes, ANNOTATION_USER),
					 .groups = string_map_get(notes, ANNOTATION_GROUP_ADD),
					 .caps = &c->caps,
					 .filter = &c->filter,
					 .personality = c->config.spec.linux_->personality,
					 .proc = -1,
					 .root = -1,
					 .terminal = -1,
					 .preserve_fds = c->preserve_fds,
					 .keep_keyring = c->no_new_keyring,
					 .give_listener = give_listener,
					 .give_to = &self,
					 .before_exec = run_start_hooks,
					 .before_exec_arg = &self };
	/* The lock on the container's directory is the parent's and must end with it. */
	close(c->state_dir);
	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		int rc = steps[k](&self, &e);

		if (rc < 0)
			fail(&self, rc, &e);
	}
	ready.uid = self.process.user.uid;
	ready.gid = self.process.user.gid;
	if (sync_send(c->sync, &ready) < 0)
		_exit(1);
	process_exec(&self.process, wait_for_start(&self));
}
