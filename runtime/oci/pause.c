/* "pause" and "resume": the cgroup's freezer. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/cgroup_query.h"
#include "oci/commands.h"
#include "oci/state.h"

/* runc's words. */
static int check(bool pause, enum status status, struct err *e)
{
	if (pause && status != STATUS_CREATED && status != STATUS_RUNNING)
		return err_set(e, -EINVAL, "container not running or created: %s",
			       status_name(status));
	if (!pause && status != STATUS_PAUSED)
		return err_set(e, -EINVAL, "container not paused");
	return 0;
}

static int freeze(const struct options *o, int argc, char **argv, bool pause, struct err *e)
{
	autostate struct state s = { 0 };
	autoclose int dir = -1;
	const char *id;
	int rc = command_only_id(argc, argv, &id, e);

	dir = rc < 0 ? rc : state_load(o->root, id, true, &s, e);
	if (dir < 0)
		return dir;
	rc = state_need_cgroup(&s, e);
	if (!rc)
		rc = check(pause, state_status(dir, &s), e);
	return rc < 0 ? rc : cgroup_freeze(s.cgroup, pause, e);
}

int cmd_pause(const struct options *o, int argc, char **argv, struct err *e)
{
	return freeze(o, argc, argv, true, e);
}

int cmd_resume(const struct options *o, int argc, char **argv, struct err *e)
{
	return freeze(o, argc, argv, false, e);
}
