/* "run": create and start in one, and by default the wait for the end and delete as well. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/commands.h"
#include "oci/create_command.h"
#include "oci/delete.h"
#include "oci/foreground.h"
#include "oci/notify.h"
#include "oci/protect.h"
#include "oci/start.h"

struct run {
	struct create c;
	struct foreground f;
	bool keep;
	int notify;
};

static int create(struct run *r, struct err *e)
{
	bool terminal = r->c.config.spec.process->terminal;
	int rc = r->c.foreground ? foreground_begin(&r->f, terminal, e) : 0;

	if (rc < 0)
		return rc;
	r->c.console = take_fd(&r->f.console[1]);
	return create_container(&r->c, e);
}

static int start(struct run *r, struct err *e)
{
	const struct hook_state state = create_state(&r->c, "running", r->c.pid);
	int rc = foreground_attach(&r->f, e);

	if (rc < 0)
		return rc;
	r->notify = notify_listen(r->c.state_dir, e);
	rc = r->notify < -1 ? r->notify : start_release(r->c.state_dir, e);
	if (!rc)
		hooks_run_all(r->c.config.spec.hooks, HOOK_POSTSTART, &state);
	return rc;
}

/* From here on other commands may have the container: "kill" of another terminal ends the wait. */
static int wait_for_end(struct run *r, struct err *e)
{
	cleanup_fd(&r->c.state_dir);
	r->c.state_dir = -1;
	if (r->c.foreground)
		return foreground_wait(&r->f, r->c.pid, r->c.pidfd, r->notify, e);
	if (r->notify >= 0)
		notify_wait(r->notify, r->c.pid, r->c.pidfd);
	return 0;
}

static int run(struct run *r, struct err *e)
{
	int rc = create(r, e), started;

	if (rc < 0)
		return rc;
	started = start(r, e);
	rc = started < 0 ? started : wait_for_end(r, e);
	if (started < 0 || (r->c.foreground && !r->keep)) {
		cleanup_fd(&r->c.state_dir);
		r->c.state_dir = -1;
		/* The reason why it failed is worth more than a second one. */
		if (delete_container(r->c.root, r->c.id, true, rc < 0 ? NULL : e) < 0 && rc >= 0)
			rc = -EIO;
	}
	return rc;
}

int cmd_run(const struct options *o, int argc, char **argv, struct err *e)
{
	struct run r = { .c = CREATE_INIT(o->root), .f = FOREGROUND_INIT, .notify = -1 };
	struct create_options x = { 0 };
	bool detach = false, no_subreaper = false;
	const struct arg rows[] = {
		CREATE_ARGS(&r.c, &x),
		ARG_FLAG("detach", 'd', &detach, "return when it runs"),
		ARG_FLAG("keep", 0, &r.keep, "do not delete the container when it has ended"),
		ARG_FLAG("no-subreaper", 0, &no_subreaper,
			 "as it always is: processes left by the container are not waited for"),
		ARG_END,
	};
	int rc = args_parse(rows, argc, argv, e);

	if (rc < 0)
		return rc;
	rc = create_take_options(&r.c, &x, argc, argv, rc, e);
	r.c.foreground = !detach;
	if (!rc)
		rc = create_read(&r.c, e);
	if (!rc)
		rc = protect_self(r.c.config.spec.linux_, o->argv, e);
	if (!rc)
		rc = run(&r, e);
	foreground_end(&r.f);
	cleanup_fd(&r.notify);
	create_release(&r.c);
	return rc;
}
