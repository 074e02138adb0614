/* The parent's side of the container's first process: from the clone to "created". */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "oci/create.h"
#include "oci/inherit.h"
#include "oci/limits.h"
#include "oci/listener.h"
#include "oci/sync.h"
#include "oci/sys.h"
#include "spec/oci_make.h"

/* ---- the clone ---- */

static struct clone_args clone_args(const struct create *c)
{
	/* The cgroup and the time namespace are left to the child, see namespaces.h. */
	struct clone_args args = {
		.flags = c->ns.new_flags & ~(uint64_t)(CLONE_NEWCGROUP | CLONE_NEWTIME),
		.exit_signal = SIGCHLD,
	};

	if (c->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)c->cgroup;
	}
	return args;
}

static pid_t clone_here(struct create *c, int child_end, struct err *e)
{
	struct clone_args args = clone_args(c);
	pid_t pid;

	args.flags |= CLONE_PIDFD;
	args.pidfd = (uintptr_t)&c->pidfd;
	pid = sys_clone3(&args);
	if (pid == 0) {
		close(c->sync);
		c->sync = child_end;
		init_run(c);
	}
	return pid < 0 ? err_sys(e, "start the container's first process") : pid;
}

/* In the process between: joins, and makes the child a child of its own parent. */
static _Noreturn void run_between(struct create *c)
{
	struct sync_message m = { .kind = SYNC_BORN };
	struct clone_args args = clone_args(c);

	m.code = namespaces_join(&c->ns, false, &m.err);
	/* It was cloned into the cgroup itself, and signals as its parent's child would. */
	args.flags = (args.flags & ~(uint64_t)CLONE_INTO_CGROUP) | CLONE_PARENT;
	args.exit_signal = 0;
	if (!m.code) {
		m.pid = sys_clone3(&args);
		if (m.pid == 0)
			init_run(c);
		if (m.pid < 0)
			m.code = err_sys(&m.err, "start the container's first process");
	}
	if (m.code)
		m.kind = SYNC_FAILED;
	sync_send(c->sync, &m);
	_exit(0);
}

static pid_t clone_between(struct create *c, int child_end, struct err *e)
{
	struct clone_args args = clone_args(c);
	struct sync_message m;
	pid_t between;
	int rc;

	args.flags &= CLONE_INTO_CGROUP;
	between = sys_clone3(&args);
	if (between == 0) {
		close(c->sync);
		c->sync = child_end;
		run_between(c);
	}
	if (between < 0)
		return err_sys(e, "start a process that joins the user namespace");
	rc = sync_receive(c->sync, &m);
	waitpid(between, NULL, 0);
	if (rc < 0)
		return err_code(e, rc, "join the user namespace");
	if (m.kind == SYNC_BORN) {
		c->pidfd = sys_pidfd_open(m.pid);
		return m.pid;
	}
	*e = m.err;
	return m.code < 0 ? m.code : -EINVAL;
}

static pid_t clone_joined(struct create *c, int child_end, struct err *e)
{
	bool keep = c->config.spec.hooks;
	int rc = namespaces_join(&c->ns, keep, e);
	pid_t pid = rc < 0 ? rc : clone_here(c, child_end, e);

	/* Hooks of the host's namespaces are run from here. */
	if (keep && pid > 0) {
		rc = namespaces_return(&c->ns, e);
		if (rc < 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return rc;
		}
	}
	return pid;
}

static pid_t start_child(struct create *c, struct err *e)
{
	/* /proc/PID/uid_map of an undumpable process is root's alone; the child hides before any
	 * process of a container can see it. */
	bool show = geteuid() && c->ns.new_flags & CLONE_NEWUSER;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket pair");
	c->sync = pair[0];
	if (show)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	pid = namespaces_joins(&c->ns, CLONE_NEWUSER) ? clone_between(c, pair[1], e) :
							clone_joined(c, pair[1], e);
	if (show)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	close(pair[1]);
	/* The child's alone from now on: were it held here too, "run" would wait for a word from a
	 * child that has died. */
	cleanup_fd(&c->listener);
	c->listener = -1;
	return pid;
}

/* ---- what it is given ---- */

static int map_owners(struct create *c, int user_ns, struct err *e)
{
	const char *wish = string_map_get(&c->config.spec.annotations, ANNOTATION_ROOT_IDMAP);
	int rc = mounts_idmap(&c->mounts, user_ns, e);

	if (rc < 0 || !wish)
		return rc;
	rc = mounts_idmap_tree(c->rootfs, wish[0] == 'r', user_ns);
	return rc < 0 ? err_code(e, rc, "map the owners of the root file system") : 0;
}

static int map_ids(struct create *c, pid_t pid, struct err *e)
{
	const struct oci_linux *l = c->config.spec.linux_;
	autoclose int user_ns = -1;
	char path[64];
	int rc = 0;

	if (c->ns.new_flags & CLONE_NEWUSER)
		rc = namespaces_map(&l->uidMappings, &l->gidMappings, pid, e);
	if (rc < 0 || !namespaces_own(&c->ns, CLONE_NEWUSER) || c->child_opens)
		return rc;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	user_ns = open(path, O_RDONLY | O_CLOEXEC);
	return user_ns < 0 ? err_sys(e, "open the container's user namespace") :
			     map_owners(c, user_ns, e);
}

/* ---- its questions ---- */

static int answer_mounted(struct create *c, pid_t pid, struct sync_message *answer, struct err *e)
{
	const struct oci_spec *spec = &c->config.spec;
	const struct hook_state state = create_state(c, "creating", pid);
	int rc = 0;

	if (!c->child_opens && devices_have_rest(spec, &c->mounts))
		rc = devices_make_rest(c->rootfs, spec, &c->mounts, &c->devices, e);
	answer->bind_devices = c->devices.bind;
	if (!rc)
		rc = hooks_run(spec->hooks, HOOK_PRESTART, &state, e);
	return rc < 0 ? rc : hooks_run(spec->hooks, HOOK_CREATE_RUNTIME, &state, e);
}

static int answer(struct create *c, pid_t pid, const struct sync_message *m, int passed,
		  struct err *e)
{
	struct sync_message go = { .kind = SYNC_GO, .pid = pid };
	const struct hook_state state = create_state(c, "creating", pid);
	int rc = -EPROTO;

	if (m->kind == SYNC_MOUNTED)
		rc = answer_mounted(c, pid, &go, e);
	else if (m->kind == SYNC_LISTENER && passed >= 0)
		rc = listener_send(&c->filter, passed, pid, &state, e);
	if (rc < 0)
		return rc;
	return sync_send(c->sync, &go) < 0 ? err_set(e, -EPIPE, "the container's first process died") :
					     0;
}

static int died(struct err *e)
{
	return err_set(e, -EPIPE,
		       "the container's first process died while it was set up (is its memory "
		       "limit too small?)");
}

static int follow(struct create *c, pid_t pid, struct sync_message *m, struct err *e)
{
	for (;;) {
		autoclose int passed = -1;
		int rc;

		if (sync_receive_fd(c->sync, m, &passed) < 0)
			return died(e);
		c->placed |= m->placed;
		if (m->kind == SYNC_READY)
			return 0;
		if (m->kind == SYNC_FAILED) {
			*e = m->err;
			err_prefix(e, "unable to start container process");
			return m->code < 0 ? m->code : -EINVAL;
		}
		rc = answer(c, pid, m, passed, e);
		if (rc < 0)
			return rc;
	}
}

static int set_clocks(struct create *c, pid_t pid, struct err *e)
{
	struct sync_message m;

	if (!c->config.spec.linux_->timeOffsets.count)
		return 0;
	if (sync_receive(c->sync, &m) < 0)
		return died(e);
	if (m.kind != SYNC_CLOCKS) {
		*e = m.err;
		return -EINVAL;
	}
	return namespaces_set_clocks(c->config.spec.linux_, pid, e);
}

int create_child(struct create *c, struct err *e)
{
	struct sync_message m = { .kind = SYNC_GO };
	int rc;

	c->pid = start_child(c, e);
	if (c->pid < 0)
		return c->pid;
	m.pid = c->pid;
	rc = set_clocks(c, c->pid, e);
	if (!rc)
		rc = map_ids(c, c->pid, e);
	if (!rc && sync_send(c->sync, &m) < 0)
		rc = died(e);
	if (!rc)
		rc = follow(c, c->pid, &m, e);
	if (rc < 0)
		return rc;
	c->placed = true;
	inherit_give_stdio(&c->config.spec.linux_->uidMappings, m.uid);
	return limits_apply(c->config.spec.process, c->pid, e);
}
