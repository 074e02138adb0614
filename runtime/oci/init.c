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
#include "oci/sys.h"
#include "spec/oci_make.h"

enum { PROC_MAGIC = 0x9fa0 };

/* The child's own view; static, since the process's user and groups are much for a stack. */
struct init {
	struct create *c;
	int proc;     /* a procfs mount that nobody else sees or has changed */
	int null;     /* for masked paths */
	int root;     /* the container's "/" */
	struct process process;
};

static struct init self;

/* ---- before the pivot: with the host's paths in sight, none of the container's ---- */

static int wait_for_parent(struct init *i, struct err *e)
{
	struct sync_message m;
	int rc = sync_receive(i->c->sync, &m);

	return rc < 0 || m.kind != SYNC_GO ? err_set(e, -EPIPE, "the runtime is gone") : 0;
}

static int become_root(struct init *i, struct err *e)
{
	/* In a new user namespace the ids are unmapped ones until they are set. */
	if (i->c->ns.new_flags & CLONE_NEWUSER && process_become_root(e) < 0)
		return -EPERM;
	/* A change of ids made us dumpable again: nobody may look into the runtime's memory or take
	 * its executable from /proc (CVE-2016-9962, CVE-2019-5736). */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "hide the runtime from the container");
	if (setsid() < 0)
		return err_sys(e, "start a session");
	if (i->c->ns.new_flags & CLONE_NEWCGROUP && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "make a cgroup namespace");
	return 0;
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
	int rc;

	/* Nothing from here on may show on the host. */
	if (old < 0 || sys_mount_setattr(old, AT_RECURSIVE, &private) < 0)
		return err_sys(e, "make mounts private");
	rc = open_proc(i, e);
	if (!rc)
		rc = mounts_open_filesystems(&i->c->mounts, e);
	if (rc < 0)
		return rc;
	i->null = paths_open_null(e);
	return i->null < 0 ? i->null : 0;
}

/* ---- the pivot ---- */

static int enter_root(struct init *i, struct err *e)
{
	autoclose int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* The new root goes on top of the old one, so no path of the host is walked for it. */
	if (old < 0 || sys_move_mount(i->c->rootfs, old) < 0)
		return err_sys(e, "mount the root file system");
	if (fchdir(i->c->rootfs) < 0 || sys_pivot_root(".", ".") < 0)
		return err_sys(e, "pivot_root");
	/* Now "." is the old root, stacked upon the new: it goes, and all that was under it. */
	if (fchdir(old) < 0 || sys_umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "leave the host's file system");
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

static int set_names(struct init *i, struct err *e)
{
	const struct oci_spec *s = &i->c->config.spec;

	if (s->hostname && s->hostname[0]) {
		if (!(i->c->ns.new_flags & CLONE_NEWUTS))
			return err_set(e, -EINVAL, "hostname: needs a UTS namespace of its own");
		if (sethostname(s->hostname, strlen(s->hostname)) < 0)
			return err_sys(e, "set host name \"%s\"", s->hostname);
	}
	if (s->domainname && s->domainname[0]) {
		if (!(i->c->ns.new_flags & CLONE_NEWUTS))
			return err_set(e, -EINVAL, "domainname: needs a UTS namespace of its own");
		if (setdomainname(s->domainname, strlen(s->domainname)) < 0)
			return err_sys(e, "set domain name \"%s\"", s->domainname);
	}
	return 0;
}

/* Sysctls that belong to a namespace; any other would be the whole machine's. */
static const struct {
	const char *prefix;
	uint64_t flag;
} sysctl_spaces[] = {
	{ "fs.mqueue.", CLONE_NEWIPC },	      { "kernel.msgmax", CLONE_NEWIPC },
	{ "kernel.msgmnb", CLONE_NEWIPC },    { "kernel.msgmni", CLONE_NEWIPC },
	{ "kernel.sem", CLONE_NEWIPC },	      { "kernel.shm_rmid_forced", CLONE_NEWIPC },
	{ "kernel.shmall", CLONE_NEWIPC },    { "kernel.shmmax", CLONE_NEWIPC },
	{ "kernel.shmmni", CLONE_NEWIPC },    { "kernel.domainname", CLONE_NEWUTS },
	{ "kernel.hostname", CLONE_NEWUTS },  { "net.", CLONE_NEWNET },
};

static bool joins(const struct namespaces *n, uint64_t flag)
{
	for (int k = 0; k < n->joined_count; k++)
		if ((uint64_t)n->joined[k].flag == flag)
			return true;
	return false;
}

static int set_sysctl(struct init *i, const char *name, const char *value, struct err *e)
{
	autofree char *path = strdup(name);
	autofree char *whole = NULL;
	autoclose int fd = -1;
	uint64_t space = 0;

	for (size_t k = 0; k < ARRAY_LEN(sysctl_spaces); k++)
		if (!strncmp(name, sysctl_spaces[k].prefix, strlen(sysctl_spaces[k].prefix)))
			space = sysctl_spaces[k].flag;
	if (!space || !(i->c->ns.new_flags & space || joins(&i->c->ns, space)))
		return err_set(e, -EINVAL,
			       "sysctl \"%s\" is not in a separate kernel namespace", name);
	/* "net.ipv4.conf.eth0/1.x": slashes stand for the dots of a name, as in sysctl(8). */
	for (char *p = path; p && *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	if (!path || asprintf(&whole, "sys/%s", path) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	/* CVE-2019-19921, CVE-2025-52881: only below this very mount, through no link. */
	fd = sys_openat2(i->proc, whole, O_WRONLY,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_sys(e, "set sysctl \"%s\" to \"%s\"", name, value);
	return 0;
}

static int set_sysctls(struct init *i, struct err *e)
{
	const struct string_map *map = &i->c->config.spec.linux_->sysctl;
	int rc = 0;

	for (size_t k = 0; !rc && k < map->count; k++)
		rc = set_sysctl(i, map->items[k].name, map->items[k].value, e);
	return rc;
}

static int attach_mounts(struct init *i, struct err *e)
{
	return mounts_attach(&i->c->mounts, i->root, e);
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
	wait_for_parent, become_root,	open_mounts, enter_root,    attach_mounts, open_console,
	set_names,	 set_sysctls,	look_up_process, protect_paths, seal_root, enter_process,
};

static _Noreturn void fail(struct init *i, int code, const struct err *e)
{
	struct sync_message m = { .kind = SYNC_FAILED, .code = code, .err = *e };

	sync_send(i->c->sync, &m);
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
					 .keep_keyring = c->no_new_keyring };
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
