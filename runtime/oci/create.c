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
#include <sys/un.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "oci/cgroup.h"
#include "oci/console.h"
#include "oci/inherit.h"
#include "oci/labels.h"
#include "oci/notify.h"
#include "oci/paths.h"
#include "oci/pid_file.h"
#include "oci/process.h"
#include "oci/rights.h"
#include "oci/state.h"
#include "oci/sync.h"
#include "oci/sys.h"
#include "oci/sysctl.h"
#include "oci/userns.h"
#include "spec/oci_make.h"

/* ---- configuration ---- */

static int open_bundle(struct create *c, const char *bundle, struct err *e)
{
	c->bundle = realpath(bundle, NULL);
	if (!c->bundle)
		return err_sys(e, "bundle \"%s\"", bundle);
	c->bundle_fd = open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c->bundle_fd < 0 ? err_sys(e, "bundle \"%s\"", bundle) : 0;
}

/* SemVer; all of 1.x is one (config.md, "Specification version"). */
static int check_version(const char *version, struct err *e)
{
	int minor, patch, used = 0;

	if (sscanf(version, "1.%d.%d%n", &minor, &patch, &used) < 2 || minor < 0 || patch < 0 ||
	    !strchr("-+", version[used]))
		return err_set(e, -EINVAL, "ociVersion: \"%s\" is not a version 1.x.y", version);
	return 0;
}

/* The mapping of a user namespace that is joined need not be in the configuration. */
static int read_joined_mapping(struct create *c, struct err *e)
{
	struct oci_linux *l = c->config.spec.linux_;

	for (int i = 0; i < c->ns.joined_count; i++)
		if (c->ns.joined[i].flag == CLONE_NEWUSER && !c->ns.joined[i].host &&
		    !l->uidMappings.count && !l->gidMappings.count)
			return userns_read(c->ns.joined[i].path, &l->uidMappings, &l->gidMappings, e);
	return 0;
}

static int check_root_idmap(const struct create *c, struct err *e)
{
	const char *wish = string_map_get(&c->config.spec.annotations, ANNOTATION_ROOT_IDMAP);

	if (wish && strcmp(wish, "idmap") != 0 && strcmp(wish, "ridmap") != 0)
		return err_set(e, -EINVAL, "annotation " ANNOTATION_ROOT_IDMAP
					   ": \"%s\" is neither idmap nor ridmap", wish);
	return wish && !namespaces_own(&c->ns, CLONE_NEWUSER) ?
		       err_set(e, -EINVAL, "annotation " ANNOTATION_ROOT_IDMAP
					   ": needs a user namespace") :
		       0;
}

static int plan_files(struct create *c, struct err *e)
{
	const struct oci_spec *s = &c->config.spec;
	bool relative = s->root->path[0] != '/';
	int rc;

	if (asprintf(&c->rootfs_path, "%s%s%s", relative ? c->bundle : "", relative ? "/" : "",
		     s->root->path) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	c->cgroup_path = cgroup_path(s->linux_->cgroupsPath, c->id, e);
	if (!c->cgroup_path)
		return -EINVAL;
	rc = mounts_plan(s, &c->ns, c->cgroup_path, &c->mounts, e);
	if (!rc)
		rc = check_root_idmap(c, e);
	if (!rc)
		rc = labels_check_mounts(s->linux_->mountLabel, e);
	if (!rc)
		rc = paths_check(s->linux_, e);
	return rc < 0 ? rc : devices_check(s->linux_, e);
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
	if (rc < 0)
		return rc;
	rc = namespaces_look(&c->ns, e);
	if (!rc)
		rc = read_joined_mapping(c, e);
	if (!rc)
		rc = plan_files(c, e);
	if (!rc)
		rc = sysctl_check(s, &c->ns, e);
	if (!rc)
		rc = hooks_check(s->hooks, e);
	if (!rc)
		rc = cgroup_check(&s->linux_->resources, e);
	if (!rc)
		rc = caps_read(s->process->capabilities, c->ns.new_flags & CLONE_NEWUSER,
			       &c->caps, e);
	if (!rc && !c->no_process)
		rc = process_check(s->process, s->linux_->personality, e);
	if (rc < 0)
		return rc;
	return console_check(s->process->terminal, !c->foreground, c->console_socket, e);
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
	bool recursive;

	c->rootfs = sys_open_tree(AT_FDCWD, c->rootfs_path,
				  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (c->rootfs < 0)
		return err_sys(e, "root file system \"%s\"", c->config.spec.root->path);
	if (word && strstr(word, "shared"))
		return 0;
	if (word && mounts_propagation(word, &recursive) == MS_SLAVE)
		attr.propagation = MS_SLAVE;
	if (sys_mount_setattr(c->rootfs, AT_RECURSIVE, &attr) < 0)
		return err_sys(e, "root file system \"%s\"", c->config.spec.root->path);
	return 0;
}

static int open_dev(struct create *c, struct err *e)
{
	for (size_t i = 0; i < c->mounts.count; i++) {
		struct mount_plan *p = &c->mounts.plans[i];

		if (!p->is_dev)
			continue;
		p->fd = devices_make_dev(p, &c->config.spec, &c->devices, e);
		if (p->fd < 0)
			return p->fd;
	}
	return 0;
}

int create_open_files(struct create *c, struct err *e)
{
	autoclose int own = -1;
	int rc = open_rootfs(c, e);

	/* To copy a mount takes rights on the mount namespace: the child has them in its own. */
	if (rc == -EPERM && !c->child_opens && c->ns.new_flags & CLONE_NEWUSER) {
		c->child_opens = c->devices.inside = true;
		return 0;
	}
	if (rc < 0)
		return rc;
	/* By path: the parent's fd is of a mount in another namespace than the child's. */
	if (c->child_opens) {
		own = open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (own < 0)
			return err_sys(e, "bundle \"%s\"", c->bundle);
	}
	rc = mounts_open_binds(&c->mounts, c->child_opens ? own : c->bundle_fd, e);
	if (!rc)
		rc = mounts_idmap_own(&c->mounts, e);
	return rc < 0 ? rc : open_dev(c, e);
}

bool create_has_pause(const struct create *c)
{
	const struct oci_hooks *hooks = c->config.spec.hooks;

	return hooks_have(hooks, HOOK_PRESTART) || hooks_have(hooks, HOOK_CREATE_RUNTIME) ||
	       hooks_have(hooks, HOOK_CREATE_CONTAINER) ||
	       devices_have_rest(&c->config.spec, &c->mounts);
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

/* Who has no cgroup to give away runs the container in his own, as long as it asks for no limit. */
static int go_without_cgroup(struct create *c, int reason, struct err *e)
{
	/* One that is there but not fit is no question of rights. */
	if (reason == -EBUSY || rights_are_full())
		return reason;
	if (cgroup_wants_limits(&c->config.spec.linux_->resources)) {
		err_prefix(e, "linux.resources: limits need a cgroup, which this user may not make");
		return reason;
	}
	c->cgroup_path[0] = '\0';
	return 0;
}

/* config-linux.md, "Cgroup ownership": only if it is to be written to, in a namespace of its
 * own. */
static int give_cgroup(const struct create *c, struct err *e)
{
	const struct oci_spec *s = &c->config.spec;
	const struct mount_plan *p = mounts_find(&c->mounts, "/sys/fs/cgroup");
	int64_t owner = namespaces_host_id(&s->linux_->uidMappings, s->process->user.uid);

	if (!p || !p->type || strcmp(p->type, "cgroup2") != 0 ||
	    (p->here.set | p->tree.set) & MOUNT_ATTR_RDONLY ||
	    !(c->ns.new_flags & CLONE_NEWCGROUP) || owner <= 0)
		return 0;
	return cgroup_give(c->cgroup, (uid_t)owner, e);
}

static int make_cgroup(struct create *c, struct err *e)
{
	const struct oci_resources *r = &c->config.spec.linux_->resources;
	int rc;

	c->cgroup = cgroup_create(c->cgroup_path, e);
	if (c->cgroup < 0)
		return go_without_cgroup(c, c->cgroup, e);
	rc = cgroup_limit(c->cgroup, c->cgroup_path, r, e);
	if (rc < 0)
		return rc;
	rc = cgroup_devices(c->cgroup, &r->devices, e);
	/* In a user namespace there is no right to load the program, and none to make nodes. */
	if (rc == -EPERM && !rights_are_full())
		rc = 0;
	return rc < 0 ? rc : give_cgroup(c, e);
}

static int prepare(struct create *c, struct err *e)
{
	int rc = filter_prepare(c->root, c->config.spec.linux_->seccomp, &c->filter, e);

	raise_file_limit(c->mounts.count);
	if (!rc && c->console_socket) {
		c->console = console_connect(c->console_socket, e);
		rc = c->console < 0 ? c->console : 0;
	}
	/* First, since it may be mounted. */
	if (!rc)
		rc = make_cgroup(c, e);
	if (!rc)
		rc = create_open_files(c, e);
	return rc < 0 ? rc : open_listener(c, e);
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
		.hooks = hooks_have(c->config.spec.hooks, HOOK_POSTSTART) ||
			 hooks_have(c->config.spec.hooks, HOOK_POSTSTOP),
	};

	if (pid && namespaces_mount_path(&c->ns)) {
		s.mountNamespace = (char *)(uintptr_t)namespaces_mount_path(&c->ns);
		s.mountedOn = c->rootfs_path;
	}
	return state_write(c->state_dir, &s, e);
}

struct hook_state create_state(const struct create *c, const char *status, pid_t pid)
{
	return (struct hook_state){ .version = c->config.spec.ociVersion,
				    .id = c->id,
				    .status = status,
				    .bundle = c->bundle,
				    .pid = pid,
				    .annotations = &c->config.spec.annotations };
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
	if (c->placed && namespaces_mount_path(&c->ns))
		namespaces_unmount(namespaces_mount_path(&c->ns), c->rootfs_path);
	if (pid > 0) {
		const struct hook_state state = create_state(c, "stopped", 0);

		hooks_run_all(c->config.spec.hooks, HOOK_POSTSTOP, &state);
	}
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
	/* Now that it is known which cgroup it is. */
	if (!rc && !c->cgroup_path[0])
		rc = save_state(c, 0, e);
	if (!rc)
		rc = create_child(c, e);
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
	free(c->rootfs_path);
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
