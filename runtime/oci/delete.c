#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/args.h"
#include "oci/cgroup.h"
#include "oci/commands.h"
#include "oci/state.h"

static bool may_delete(enum status status, bool force)
{
	/* A container that was never started has nothing to lose. */
	return force || status == STATUS_STOPPED || status == STATUS_CREATED;
}

static int delete_locked(const struct options *o, const char *id, int dir, bool force,
			 struct err *e)
{
	autostate struct state s = { 0 };
	enum status status;
	int rc = state_read(dir, &s, e);

	/* Interrupted before the first state was written, or damaged: no cgroup was made, or its path
	 * is not known any more; the directory at least goes. */
	if (rc < 0)
		return force ? state_remove(o->root, id, e) : rc;
	status = state_status(dir, &s);
	if (!may_delete(status, force))
		return err_set(e, -EBUSY, "cannot delete container %s that is not stopped: %s", id,
			       status_name(status));
	rc = cgroup_remove(s.cgroup, e);
	return rc < 0 ? rc : state_remove(o->root, id, e);
}

int cmd_delete(const struct options *o, int argc, char **argv, struct err *e)
{
	bool force = false;
	const struct arg rows[] = {
		{ "force", 'f', &force, NULL, NULL },
		{ NULL, 0, NULL, NULL, NULL },
	};
	autoclose int dir = -1;
	const char *id;
	int next = args_parse(rows, argc, argv, e);
	int rc = next < 0 ? next : command_id(argc, argv, next, &id, e);

	if (rc < 0)
		return rc;
	dir = state_open(o->root, id, true, e);
	if (dir == -ENOENT && force)
		return 0;
	return dir < 0 ? dir : delete_locked(o, id, dir, force, e);
}
