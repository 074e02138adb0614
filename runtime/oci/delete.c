#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/args.h"
#include "oci/cgroup.h"
#include "oci/commands.h"
#include "oci/delete.h"
#include "oci/state.h"

static bool may_delete(enum status status, bool force)
{
	/* A container that was never started has nothing to lose. */
	return force || status == STATUS_STOPPED || status == STATUS_CREATED;
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
	rc = cgroup_remove(s.cgroup, e);
	return rc < 0 ? rc : state_remove(root, id, e);
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
