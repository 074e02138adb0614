/* "create": the parent's side. */
#include "oci/create.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "oci/args.h"
#include "oci/cgroup.h"
#include "oci/commands.h"
#include "oci/console.h"
#include "oci/devices.h"
#include "oci/limits.h"
#include "oci/process.h"
#include "oci/protect.h"
#include "oci/state.h"
#include "oci/sys.h"

enum { PRESERVE_MAX = 1024 };

/* ---- configuration ---- */

static int open_bundle(struct create *c, const char *bundle, struct err *e)
{
	c->bundle = realpath(bundle, NULL);
	if (!c->bundle)
		return err_sys(e, "bundle \"%s\"", bundle);
	c->bundle_fd = open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c->bundle_fd < 0 ? err_sys(e, "bundle \"%s\"", bundle) : 0;
}

static int check_version(const char *version, struct err *e)
{
	return strncmp(version, "1.", 2) ?
		       err_set(e, -EINVAL, "ociVersion: \"%s\" is not version 1", version) :
		       0;
}

static int has_dev(const struct mounts *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->plans[i].is_dev)
			return 1;
	return 0;
}

/* Everything that can be seen to be wrong without touching the machine. */
static int check_config(struct create *c, struct err *e)
{
	struct oci_spec *s = &c->config.spec;
	int rc = check_version(s->ociVersion, e);

	if (rc < 0)
		return rc;
	if (!s->process)
		return err_set(e, -EINVAL, "process: is missing");
	if (!s->root)
		return err_set(e, -EINVAL, "root: is missing");
	if (!s->linux_)
		return err_set(e, -EINVAL, "linux: is missing");
	rc = namespaces_plan(s->linux_, &c->ns, e);
	if (!rc)
		rc = mounts_plan(s, &c->mounts, e);
	if (!rc)
		rc = caps_read(s->process->capabilities, c->ns.new_flags & CLONE_NEWUSER,
			       &c->caps, e);
	if (!rc)
		rc = process_check(s->process, s->linux_->personality, e);
	if (rc < 0)
		return rc;
	if (s->linux_->devices.count && !has_dev(&c->mounts))
		return err_set(e, -EINVAL, "linux.devices: need a tmpfs on \"/dev\"");
	if (s->process->terminal != !!c->console_socket)
		return err_set(e, -EINVAL, s->process->terminal ?
						   "cannot allocate tty if runtime will detach without "
						   "setting console socket" :
						   "cannot use console socket if runtime will not "
						   "detach or allocate tty");
	c->cgroup_path = cgroup_path(s->linux_->cgroupsPath, c->id, e);
	return c->cgroup_path ? 0 : -EINVAL;
}

/* ---- what the child will need ---- */

/* A mount's fd is held for each, and the usual soft limit is 1024; the hard one is for the
 * asking. The container's own limit is put back when it is ready. */
static void raise_file_limit(size_t mounts)
{
	struct rlimit limit;

	if (mounts < 256 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_rootfs(struct create *c, struct err *e)
{
	const char *word = c->config.spec.linux_->rootfsPropagation;
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	const char *path = c->config.spec.root->path;
	bool recursive;

	c->rootfs = sys_open_tree(c->bundle_fd, path,
				  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (c->rootfs < 0)
		return err_sys(e, "root file system \"%s\"", path);
	if (word && strstr(word, "shared"))
		return 0;
	if (word && mounts_propagation(word, &recursive) == MS_SLAVE)
		attr.propagation = MS_SLAVE;
	if (sys_mount_setattr(c->rootfs, AT_RECURSIVE, &attr) < 0)
		return err_sys(e, "root file system \"%s\"", path);
	return 0;
}

static int open_dev(struct create *c, struct err *e)
{
	for (size_t i = 0; i < c->mounts.count; i++) {
		struct mount_plan *p = &c->mounts.plans[i];

		if (!p->is_dev)
			continue;
		p->fd = devices_make_dev(p, &c->config.spec, e);
		if (p->fd < 0)
			return p->fd;
	}
	return 0;
}

static int open_listener(struct create *c, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	/* By fd: the path of the state directory may be longer than an address can be. */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", c->state_dir,
		 STATE_START_SOCKET);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->listener < 0 ||
	    bind(c->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(c->listener, 1) < 0)
		return err_sys(e, "make the container's start socket");
	return 0;
}

static int make_cgroup(struct create *c, struct err *e)
{
	const struct oci_resources *r = &c->config.spec.linux_->resources;
	int rc;

	c->cgroup = cgroup_create(c->cgroup_path, e);
	if (c->cgroup < 0)
		return c->cgroup;
	rc = cgroup_limit(c->cgroup, c->cgroup_path, r, e);
	return rc < 0 ? rc : cgroup_devices(c->cgroup, &r->devices, e);
}

static int prepare(struct create *c, struct err *e)
{
	int rc = filter_prepare(c->root, c->config.spec.linux_->seccomp, &c->filter, e);

	raise_file_limit(c->mounts.count);
	if (!rc && c->console_socket) {
		c->console = console_connect(c->console_socket, e);
		rc = c->console < 0 ? c->console : 0;
	}
	if (!rc)
		rc = open_rootfs(c, e);
	if (!rc)
		rc = mounts_open_binds(&c->mounts, c->bundle_fd, e);
	if (!rc)
		rc = open_dev(c, e);
	if (!rc)
		rc = open_listener(c, e);
	return rc < 0 ? rc : make_cgroup(c, e);
}

/* ---- the child ---- */

static pid_t start_child(struct create *c, int *pidfd, struct err *e)
{
	int pair[2];
	struct clone_args args = {
		/* The cgroup namespace is left to the child, see namespaces.h. */
		.flags = (c->ns.new_flags & ~(uint64_t)CLONE_NEWCGROUP) | CLONE_INTO_CGROUP |
			 CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)c->cgroup,
	};
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket pair");
	pid = sys_clone3(&args);
	if (pid == 0) {
		close(pair[0]);
		c->sync = pair[1];
		init_run(c);
	}
	close(pair[1]);
	c->sync = pair[0];
	return pid < 0 ? err_sys(e, "start the container's first process") : pid;
}

static int map_ids(struct create *c, pid_t pid, struct err *e)
{
	autoclose int user_ns = -1;
	char path[64];
	int rc = namespaces_map(c->config.spec.linux_, pid, e);

	if (rc < 0 || !(c->ns.new_flags & CLONE_NEWUSER))
		return rc;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	user_ns = open(path, O_RDONLY | O_CLOEXEC);
	return user_ns < 0 ? err_sys(e, "open the container's user namespace") :
			     mounts_idmap(&c->mounts, user_ns, e);
}

/* An id of the container's as the host has it; -1: none. */
static int64_t host_id(const struct oci_mapping_list *map, uint32_t id)
{
	for (size_t i = 0; i < map->count; i++)
		if (id >= map->items[i].containerID &&
		    id - map->items[i].containerID < map->items[i].size)
			return map->items[i].hostID + (id - map->items[i].containerID);
	return map->count ? -1 : (int64_t)id;
}

/* A program may open /dev/stdout anew, and its pipe belongs to whoever made it. Only the parent
 * can give it away: in the user namespace its owner has no number. */
static void give_stdio(const struct create *c, uint32_t uid)
{
	int64_t owner = host_id(&c->config.spec.linux_->uidMappings, uid);
	struct stat st;

	for (int fd = 0; owner >= 0 && fd < 3; fd++)
		if (!fstat(fd, &st) && S_ISFIFO(st.st_mode) && st.st_uid != (uid_t)owner &&
		    fchown(fd, (uid_t)owner, (gid_t)-1) < 0)
			continue; /* a pipe of another's: the container runs, as under runc */
}

static int finish_child(struct create *c, pid_t pid, struct err *e)
{
	struct sync_message m = { .kind = SYNC_GO };
	int rc = map_ids(c, pid, e);

	if (rc < 0)
		return rc;
	if (sync_send(c->sync, &m) < 0 || sync_receive(c->sync, &m) < 0)
		return err_set(e, -EPIPE,
			       "the container's first process died while it was set up (is its memory "
			       "limit too small?)");
	if (m.kind != SYNC_READY) {
		*e = m.err;
		err_prefix(e, "unable to start container process");
		return m.code < 0 ? m.code : -EINVAL;
	}
	give_stdio(c, m.uid);
	return limits_apply(c->config.spec.process, pid, e);
}

/* ---- state ---- */

static int save_state(const struct create *c, pid_t pid, struct err *e)
{
	char now[CLOCK_RFC3339_MAX];
	struct state s = {
		.id = (char *)c->id,
		.bundle = c->bundle,
		.rootfs = c->config.spec.root->path,
		.ociVersion = c->config.spec.ociVersion,
		.cgroup = c->cgroup_path,
		.created = clock_rfc3339(clock_wall_ns(), now),
		.pid = pid,
		.startTime = pid ? state_process_start(pid) : 0,
		.annotations = c->config.spec.annotations,
	};

	return state_write(c->state_dir, &s, e);
}

static int write_pid_file(const char *path, pid_t pid, struct err *e)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid);

	return path ? file_replace_at(AT_FDCWD, path, text, (size_t)len, 0644, e) : 0;
}

/* Leaves nothing: what cannot be undone here would be found by delete. */
static void undo(struct create *c, pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (c->cgroup >= 0)
		cgroup_remove(c->cgroup_path, NULL);
	state_remove(c->root, c->id, NULL);
}

static int create_container(struct create *c, struct err *e)
{
	autoclose int pidfd = -1;
	pid_t pid = 0;
	int rc;

	c->state_dir = state_create(c->root, c->id, e);
	if (c->state_dir < 0)
		return c->state_dir;
	/* Before anything else is made: after a crash delete must know the cgroup. */
	rc = save_state(c, 0, e);
	if (!rc)
		rc = config_save(&c->config, c->state_dir, e);
	if (!rc)
		rc = prepare(c, e);
	if (!rc)
		rc = namespaces_join(&c->ns, e);
	if (!rc) {
		pid = start_child(c, &pidfd, e);
		rc = pid < 0 ? pid : finish_child(c, pid, e);
	}
	if (!rc)
		rc = save_state(c, pid, e);
	if (!rc)
		rc = write_pid_file(c->pid_file, pid, e);
	if (rc < 0)
		undo(c, pid);
	return rc;
}

static void release(struct create *c)
{
	int *const fds[] = { &c->bundle_fd, &c->state_dir, &c->cgroup,	&c->rootfs,
			     &c->console,   &c->listener,  &c->sync };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		cleanup_fd(fds[i]);
	mounts_free(&c->mounts);
	buf_free(&c->filter.code);
	config_free(&c->config);
	free(c->cgroup_path);
	free(c->bundle);
}

/* ---- the command ---- */

static int parse(struct create *c, const char **bundle, int argc, char **argv, struct err *e)
{
	const char *preserve = "0";
	bool no_new_keyring = false;
	const struct arg rows[] = {
		{ "bundle", 'b', NULL, bundle, NULL },
		{ "console-socket", 0, NULL, &c->console_socket, NULL },
		{ "pid-file", 0, NULL, &c->pid_file, NULL },
		{ "preserve-fds", 0, NULL, &preserve, NULL },
		{ "no-new-keyring", 0, &no_new_keyring, NULL, NULL },
		{ NULL, 0, NULL, NULL, NULL },
	};
	int next = args_parse(rows, argc, argv, e);
	long count;
	int rc = next < 0 ? next : command_id(argc, argv, next, &c->id, e);

	if (rc < 0)
		return rc;
	if (args_number(preserve, 0, PRESERVE_MAX, &count) < 0)
		return err_set(e, -EINVAL, "--preserve-fds: \"%s\" is not 0 to %d", preserve,
			       PRESERVE_MAX);
	c->preserve_fds = (int)count;
	return state_check_id(c->id, e);
}

/* The fds that are handed on must not be ones that the runtime opens: were 3 free now, the
 * container would get a handle of ours (a leak as in CVE-2024-21626). */
static int check_preserved(const struct create *c, struct err *e)
{
	for (int fd = 3; fd < 3 + c->preserve_fds; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return err_set(e, -EBADF, "--preserve-fds: fd %d is not open", fd);
	return 0;
}

int cmd_create(const struct options *o, int argc, char **argv, struct err *e)
{
	struct create c = { .root = o->root, .bundle_fd = -1, .state_dir = -1, .cgroup = -1,
			    .rootfs = -1, .console = -1, .listener = -1, .sync = -1 };
	const char *bundle = ".";
	int rc = parse(&c, &bundle, argc, argv, e);

	if (!rc)
		rc = check_preserved(&c, e);
	if (!rc)
		rc = open_bundle(&c, bundle, e);
	if (!rc)
		rc = config_read(c.bundle_fd, &c.config, e);
	if (!rc)
		rc = check_config(&c, e);
	if (!rc)
		rc = protect_self(c.config.spec.linux_, o->argv, e);
	if (!rc)
		rc = create_container(&c, e);
	release(&c);
	return rc;
}
