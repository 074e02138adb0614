/* "exec": the parent's side. One fork: the parent joins the pid namespace, for its children, and
 * clones the process right into the container's cgroup; the child joins the rest. */
#include "oci/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "oci/affinity.h"
#include "oci/args.h"
#include "oci/cgroup.h"
#include "oci/cgroup_query.h"
#include "oci/commands.h"
#include "oci/console.h"
#include "oci/inherit.h"
#include "oci/limits.h"
#include "oci/listener.h"
#include "oci/pid_file.h"
#include "oci/protect.h"
#include "oci/sync.h"
#include "oci/sys.h"

enum { PROC_MAGIC = 0x9fa0 };

static int not_running(struct err *e)
{
	return err_set(e, -ESRCH, "cannot exec in a stopped container");
}

/* ---- the container ---- */

static bool same_user_namespace(pid_t pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return !stat("/proc/self/ns/user", &own) && !stat(path, &other) &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

static int open_target(struct exec *x, struct err *e)
{
	pid_t pid = (pid_t)x->state.pid;

	x->target = sys_pidfd_open(pid);
	/* Compared after it is open: the number may be another process's by now. */
	if (x->target < 0 || state_process_start(pid) != x->state.startTime)
		return not_running(e);
	/* A user namespace that was joined by path may be the one that we are in, which setns
	 * refuses. */
	if (x->namespaces & CLONE_NEWUSER && same_user_namespace(pid))
		x->namespaces &= ~(uint64_t)CLONE_NEWUSER;
	return 0;
}

static int open_cgroup(const char *path, const char *below, struct err *e)
{
	autofree char *whole = NULL;
	int fd;

	if (below && (strstr(below, "..") || strchr(below, ':')))
		return err_set(e, -EINVAL, "--cgroup: \"%s\" is not a path below the container's cgroup",
			       below);
	if (asprintf(&whole, "%s%s%s", path, below ? "/" : "", below ? below : "") < 0)
		return err_set(e, -ENOMEM, "out of memory");
	fd = cgroup_open(whole, e);
	return fd == -ENOENT ? err_set(e, fd, "cgroup \"%s\" does not exist", whole) : fd;
}

static int open_proc(struct exec *x, struct err *e)
{
	const struct oci_process *p = x->process;
	struct statfs st;

	if (!(p->apparmorProfile && p->apparmorProfile[0]) &&
	    !(p->selinuxLabel && p->selinuxLabel[0]))
		return 0;
	/* The host's: in the container's mount namespace /proc may be anything. */
	x->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (x->proc < 0 || fstatfs(x->proc, &st) < 0)
		return err_sys(e, "open procfs");
	return st.f_type == PROC_MAGIC ? 0 : err_set(e, -ENODEV, "\"/proc\" is not procfs");
}

static int open_console(struct exec *x, struct err *e)
{
	int rc;

	if (x->detach) {
		x->console = x->console_socket ? console_connect(x->console_socket, e) : -1;
		return x->console_socket && x->console < 0 ? x->console : 0;
	}
	rc = foreground_begin(&x->foreground, x->process->terminal, e);
	x->console = take_fd(&x->foreground.console[1]);
	return rc;
}

static int open_all(struct exec *x, struct err *e)
{
	int rc = open_target(x, e);

	if (!rc && x->state.cgroup[0]) {
		x->cgroup = open_cgroup(x->state.cgroup, x->sub_cgroup, e);
		rc = x->cgroup < 0 ? x->cgroup : 0;
	}
	if (!rc)
		rc = open_proc(x, e);
	return rc < 0 ? rc : open_console(x, e);
}

/* ---- the child ---- */

/* Only children come into a pid namespace that is joined, so this has to be before the clone. An
 * unprivileged caller has the right to it only inside of the user namespace. */
static int join_pid_namespace(struct exec *x, struct err *e)
{
	uint64_t flags = x->namespaces & CLONE_NEWPID;

	if (!flags)
		return 0;
	if (setns(x->target, CLONE_NEWPID) < 0) {
		if (errno != EPERM || !(x->namespaces & CLONE_NEWUSER))
			return errno == ESRCH ? not_running(e) : err_sys(e, "join the pid namespace");
		flags |= CLONE_NEWUSER;
		if (setns(x->target, CLONE_NEWUSER | CLONE_NEWPID) < 0)
			return err_sys(e, "join the user and pid namespaces");
		if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
			return err_sys(e, "hide the runtime from the container");
	}
	x->namespaces &= ~flags;
	return 0;
}

static pid_t clone_child(struct exec *x)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | (x->cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)&x->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)(x->cgroup >= 0 ? x->cgroup : 0),
	};

	return sys_clone3(&args);
}

/* A container that has handed controllers on to cgroups of its own (systemd in it does) takes no
 * process in its top cgroup any more: then where its first process is. */
static int use_first_cgroup(struct exec *x)
{
	autofree char *path = cgroup_of((pid_t)x->state.pid, NULL);
	int fd = path ? open_cgroup(path, NULL, NULL) : -ENOENT;

	if (fd < 0)
		return fd;
	cleanup_fd(&x->cgroup);
	x->cgroup = fd;
	return 0;
}

static int start_child(struct exec *x, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket pair");
	x->sync = pair[0];
	x->pid = clone_child(x);
	if (x->pid < 0 && errno == EBUSY && !x->sub_cgroup && !use_first_cgroup(x))
		x->pid = clone_child(x);
	if (x->pid == 0) {
		close(pair[0]);
		x->sync = pair[1];
		exec_child(x);
	}
	close(pair[1]);
	return x->pid < 0 ? err_sys(e, "start a process in the container") : 0;
}

static int hand_listener_on(struct exec *x, int listener, struct err *e)
{
	const struct sync_message go = { .kind = SYNC_GO };
	const struct hook_state state = { .version = x->state.ociVersion,
					  .id = x->state.id,
					  .status = "running",
					  .bundle = x->state.bundle,
					  .pid = (pid_t)x->state.pid,
					  .annotations = &x->state.annotations };
	int rc = listener_send(&x->filter, listener, x->pid, &state, e);

	return rc < 0 || sync_send(x->sync, &go) >= 0 ? rc : err_set(e, -EPIPE, "the process died");
}

static int wait_ready(struct exec *x, struct err *e)
{
	autoclose int listener = -1;
	struct sync_message m;
	int rc = sync_receive_fd(x->sync, &m, &listener);

	if (!rc && m.kind == SYNC_LISTENER) {
		rc = hand_listener_on(x, listener, e);
		if (rc < 0)
			return rc;
		rc = sync_receive(x->sync, &m);
	}
	if (rc < 0)
		return err_set(e, -EPIPE, "the process died while it was set up (is the container's "
					  "memory limit too small, or has it ended?)");
	if (m.kind != SYNC_READY) {
		*e = m.err;
		return m.code < 0 ? m.code : -EINVAL;
	}
	inherit_give_stdio(&x->config.spec.linux_->uidMappings, m.uid);
	return 0;
}

/* Lets it exec. The end of the connection without a word is exec's. */
static int release_child(struct exec *x, struct err *e)
{
	struct sync_message go = { .kind = SYNC_GO };
	char reason[ERR_TEXT_MAX];
	ssize_t n;

	if (sync_send(x->sync, &go) < 0)
		return err_set(e, -EPIPE, "the process died before it ran");
	do
		n = recv(x->sync, reason, sizeof(reason) - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	reason[n] = '\0';
	return err_set(e, -ENOEXEC, "%s", reason);
}

static int run_child(struct exec *x, struct err *e)
{
	int rc = affinity_apply_initial(&x->process->execCPUAffinity, e);

	if (!rc)
		rc = join_pid_namespace(x, e);
	if (!rc)
		rc = start_child(x, e);
	if (!rc)
		rc = wait_ready(x, e);
	if (!rc)
		rc = limits_apply(x->process, x->pid, e);
	if (!rc)
		rc = affinity_apply_final(&x->process->execCPUAffinity, x->pid, e);
	if (!rc)
		rc = pid_file_write(x->pid_file, x->pid, e);
	if (!rc)
		rc = pid_file_send(x->pidfd_socket, x->pidfd, e);
	if (!rc)
		rc = foreground_attach(&x->foreground, e);
	if (!rc)
		rc = release_child(x, e);
	if (rc < 0 && x->pid > 0) {
		kill(x->pid, SIGKILL);
		waitpid(x->pid, NULL, 0);
	}
	if (rc < 0)
		err_prefix(e, "unable to start container process");
	return rc;
}

/* ---- the command ---- */

static void release(struct exec *x)
{
	int *const fds[] = { &x->target, &x->proc, &x->cgroup, &x->console, &x->sync, &x->pidfd };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		cleanup_fd(fds[i]);
	foreground_end(&x->foreground);
	string_list_free(&x->env);
	string_list_free(&x->caps_added);
	string_list_free(&x->groups);
	buf_free(&x->joined_groups);
	buf_free(&x->filter.code);
	oci_process_free(&x->own);
	config_free(&x->config);
	state_free(&x->state);
}

static int exec(struct exec *x, const struct options *o, int argc, char **argv, struct err *e)
{
	int rc = exec_plan(x, argc, argv, e);

	if (!rc)
		rc = protect_self(x->config.spec.linux_, o->argv, e);
	if (!rc)
		rc = open_all(x, e);
	if (!rc)
		rc = run_child(x, e);
	if (rc < 0 || x->detach)
		return rc;
	return foreground_wait(&x->foreground, x->pid, x->pidfd, -1, e);
}

int cmd_exec(const struct options *o, int argc, char **argv, struct err *e)
{
	struct exec x = { .root = o->root, .target = -1, .proc = -1, .cgroup = -1, .console = -1,
			  .sync = -1, .pidfd = -1, .foreground = FOREGROUND_INIT };
	int rc = exec(&x, o, argc, argv, e);

	release(&x);
	if (rc < 0 && rc != ARGS_HELP)
		err_prefix(e, "exec failed");
	return rc;
}
