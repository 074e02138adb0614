/* The parent's side of making a container. */
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
#include "oci/cgroup.h"
#include "oci/console.h"
#include "oci/devices.h"
#include "oci/inherit.h"
#include "oci/limits.h"
#include "oci/notify.h"
#include "oci/pid_file.h"
#include "oci/process.h"
#include "oci/state.h"
#include "oci/sync.h"
#include "oci/sys.h"

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
	if (!rc && !c->no_process)
		rc = process_check(s->process, s->linux_->personality, e);
	if (rc < 0)
		return rc;
	if (s->linux_->devices.count && !has_dev(&c->mounts))
		return err_set(e, -EINVAL, "linux.devices: need a tmpfs on \"/dev\"");
	rc = console_check(s->process->terminal, !c->foreground, c->console_socket, e);
	if (rc < 0)
		return rc;
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
	inherit_give_stdio(&c->config.spec.linux_->uidMappings, m.uid);
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

int create_container(struct create *c, struct err *e)
{
	int rc;

	c->state_dir = state_create(c->root, c->id, e);
	if (c->state_dir < 0)
		return c->state_dir;
	/* Before anything else is made: after a crash delete must know the cgroup. */
	rc = save_state(c, 0, e);
	if (!rc)
		rc = config_save(&c->config, c->state_dir, e);
	if (!rc)
		rc = notify_make(c->state_dir, e);
	if (!rc)
		rc = prepare(c, e);
	if (!rc)
		rc = namespaces_join(&c->ns, e);
	if (!rc) {
		c->pid = start_child(c, &c->pidfd, e);
		rc = c->pid < 0 ? c->pid : finish_child(c, c->pid, e);
	}
	if (!rc)
		rc = save_state(c, c->pid, e);
	if (!rc)
		rc = pid_file_write(c->pid_file, c->pid, e);
	if (!rc)
		rc = pid_file_send(c->pidfd_socket, c->pidfd, e);
	if (rc < 0)
		undo(c, c->pid);
	return rc;
}

void create_release(struct create *c)
{
	int *const fds[] = { &c->bundle_fd, &c->state_dir, &c->cgroup,	&c->rootfs,
			     &c->console,   &c->listener,  &c->sync,   &c->pidfd };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		cleanup_fd(fds[i]);
	mounts_free(&c->mounts);
	buf_free(&c->filter.code);
	config_free(&c->config);
	free(c->cgroup_path);
	free(c->bundle);
}

/* ---- all of it ---- */

int create_read(struct create *c, struct err *e)
{
	int rc = open_bundle(c, c->bundle_option, e);

	if (!rc)
		rc = config_read(c->bundle_fd, &c->config, e);
	if (!rc && !c->config.spec.process) {
		c->no_process = true;
		rc = config_add_process(&c->config, e);
	}
	if (!rc)
		rc = inherit_listen_env(c->config.spec.process, e);
	if (!rc)
		rc = notify_plan(c->root, c->id, &c->config.spec, e);
	return rc < 0 ? rc : check_config(c, e);
}
