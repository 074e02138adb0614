#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/args.h"
#include "oci/cgroup.h"
#include "oci/commands.h"
#include "oci/delete.h"
#include "oci/late_hooks.h"
#include "oci/namespaces.h"
#include "oci/state.h"
#include "oci/sys.h"

enum { END_TIMEOUT_MS = 10000 };

static bool may_delete(enum status status, bool force)
{
	/* A container that was never started has nothing to lose. */
	return force || status == STATUS_STOPPED || status == STATUS_CREATED;
}

/* Without a cgroup the first process is all that is known; the rest is its pid namespace's. */
static int end_first(const struct state *s, struct err *e)
{
	autoclose int pidfd = s->pid ? sys_pidfd_open((int)s->pid) : -1;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0 || state_process_start((pid_t)s->pid) != s->startTime)
		return 0;
	if (sys_pidfd_send_signal(pidfd, SIGKILL) < 0 && errno != ESRCH)
		return err_sys(e, "kill the container's first process");
	return poll(&p, 1, END_TIMEOUT_MS) ? 0 : err_set(e, -ETIMEDOUT, "the container does not end");
}

static int delete_locked(const char *root, const char *id, int dir, bool force,
			 struct err *e)
{
	autostate struct state s = { 0 };
	enum status status;
	int rc = state_read(dir, &s, e);

	/* Interrupted before the first state was written, or damaged: no cgroup was made, or its path
	 * is not known any more; the directory at least goes. */
	if (rc < 0)
		return force ? state_remove(root, id, e) : rc;
	status = state_status(dir, &s);
	if (!may_delete(status, force))
		return err_set(e, -EBUSY, "cannot delete container %s that is not stopped: %s", id,
			       status_name(status));
	rc = s.cgroup[0] ? cgroup_remove(s.cgroup, e) : end_first(&s, e);
	if (rc < 0)
		return rc;
	if (s.mountNamespace && s.mountedOn)
		namespaces_unmount(s.mountNamespace, s.mountedOn);
	/* Before the state goes: after a crash in between they are run again, not left out. */
	late_hooks_run(dir, &s, HOOK_POSTSTOP, "stopped");
	return state_remove(root, id, e);
}

int delete_container(const char *root, const char *id, bool force, struct err *e)
{
	autoclose int dir = state_open(root, id, true, e);

	if (dir == -ENOENT && force)
		return 0;
	return dir < 0 ? dir : delete_locked(root, id, dir, force, e);
}

int cmd_delete(const struct options *o, int argc, char **argv, struct err *e)
{
	bool force = false;
	const struct arg rows[] = {
		ARG_FLAG("force", 'f', &force, "kill it first if it runs; none is no error"),
		ARG_END,
	};
	const char *id;
	int next = args_parse(rows, argc, argv, e);
	int rc = next < 0 ? next : command_id(argc, argv, next, &id, e);

	return rc < 0 ? rc : delete_container(o->root, id, force, e);
}
