/* What can be asked of a container, with docker's refusals. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/internal.h"
#include "engine/resolver.h"

static int wait_for(struct container *c, unsigned kinds, enum waiter_then then,
		    engine_done_fn *done, void *arg, struct err *e)
{
	int rc = waiter_add(c, kinds, then, done, arg, e);

	return rc < 0 ? rc : ENGINE_PENDING;
}

int engine_start(struct container *c, engine_done_fn *done, void *arg, struct err *e)
{
	int rc;

	if (c->engine->stopping)
		return err_set(e, -ESHUTDOWN, "the machine is going down");
	if (c->state == STATE_STOPPING)
		return wait_for(c, WAIT_ENDED, THEN_START, done, arg, e);
	c->stopped_by_hand = false;
	c->boot_pending = false;
	if (c->state != STATE_STARTING) {
		c->restarts = 0;
		c->back_off_ms = 0;
	}
	rc = lifecycle_event(c, EVENT_START, e);
	if (rc)
		return rc;
	if (c->state == STATE_STARTING)
		return wait_for(c, WAIT_STARTED, THEN_NOTHING, done, arg, e);
	return c->state == STATE_RUNNING ? ENGINE_DONE : err_set(e, -EIO, "%s", c->error);
}

static int stop(struct container *c, int64_t grace_ms, enum waiter_then then, engine_done_fn *done,
		void *arg, struct err *e)
{
	int rc;

	if (c->state == STATE_STOPPING && grace_ms < 0)
		return wait_for(c, WAIT_ENDED, then, done, arg, e);
	/* A shorter grace time than that of the stop under way is a new stop. */
	if (c->state == STATE_STOPPING && !c->start)
		c->state = STATE_RUNNING;
	c->stop_grace_ms = grace_ms;
	rc = lifecycle_event(c, EVENT_STOP, e);
	if (rc)
		return rc;
	return container_is_live(c) ? wait_for(c, WAIT_ENDED, then, done, arg, e) : ENGINE_DONE;
}

int engine_stop(struct container *c, int64_t grace_ms, engine_done_fn *done, void *arg,
		struct err *e)
{
	c->boot_pending = false;
	if (c->state != STATE_EXITED && c->state != STATE_CREATED) {
		c->stopped_by_hand = true;
		keep_now(c);
	}
	return stop(c, grace_ms, THEN_NOTHING, done, arg, e);
}

int engine_restart(struct container *c, int64_t grace_ms, engine_done_fn *done, void *arg,
		   struct err *e)
{
	int rc;

	if (!container_is_live(c))
		return engine_start(c, done, arg, e);
	rc = stop(c, grace_ms, THEN_START, done, arg, e);
	return rc == ENGINE_DONE ? engine_start(c, done, arg, e) : rc;
}

int engine_kill(struct container *c, int sig, engine_done_fn *done, void *arg, struct err *e)
{
	char number[16];
	struct string_pair pair = { (char *)"signal", number };
	int rc;

	if (!container_is_live(c) || c->pidfd < 0)
		return err_set(e, -EBUSY, "container %s is not running", c->id);
	if (sig == SIGKILL || sig == SIGTERM)
		c->stopped_by_hand = true;
	rc = watch_signal(c, sig);
	if (rc < 0 && rc != -ESRCH)
		return err_code(e, rc, "signal %d to container \"%s\"", sig, c->name);
	snprintf(number, sizeof(number), "%d", sig);
	events_add(c->engine->events, "kill", c, &(struct string_map){ &pair, 1 });
	if (sig != SIGKILL)
		return ENGINE_DONE;
	if (c->state == STATE_PAUSED)
		watch_freeze(c, false, NULL);
	return wait_for(c, WAIT_EXITED, THEN_NOTHING, done, arg, e);
}

int engine_pause(struct container *c, bool pause, struct err *e)
{
	int rc;

	if (pause ? c->state == STATE_RUNNING : c->state == STATE_PAUSED) {
		rc = watch_freeze(c, pause, e);
		if (rc < 0)
			return rc;
	}
	rc = lifecycle_event(c, pause ? EVENT_PAUSE : EVENT_UNPAUSE, e);
	return rc < 0 ? rc : ENGINE_DONE;
}

static void free_removed(struct loop *l, void *arg)
{
	(void)l;
	container_free(arg);
}

/* Who shared with it has a namespace of nobody's now. */
static void forget_owner(const struct engine *en, const struct container *owner)
{
	for (size_t i = 0; i < en->count; i++) {
		struct container *c = en->containers[i];

		if (c->pid_owner == owner)
			c->pid_owner = NULL;
		if (c->net_owner == owner)
			c->net_owner = NULL;
	}
}

static int delete(struct container *c, bool volumes)
{
	struct engine *en = c->engine;

	c->removed = true;
	boot_mark_removed(c);
	keep_remove(c);
	if (volumes)
		volumes_remove_anonymous(c);
	keep_drop(en, c);
	forget_owner(en, c);
	attach_give_up(&c->attachments, NULL);
	exec_forget_all(c);
	events_add(en->events, "destroy", c, NULL);
	public_soon(en);
	waiter_tell(c, WAIT_REMOVED | WAIT_EXITED | WAIT_ENDED, 0, NULL);
	/* Callers up the stack may hold the pointer still. */
	if (!loop_timer(en->loop, 0, free_removed, c))
		return -ENOMEM;
	return ENGINE_DONE;
}

int engine_remove(struct container *c, bool force, bool volumes, engine_done_fn *done, void *arg,
		  struct err *e)
{
	int rc;

	if (c->removed)
		return err_set(e, -ENOENT, "No such container: %s", c->name);
	if (state_next(c->state, EVENT_REMOVE).action == ACTION_REFUSE) {
		if (!force)
			return err_set(e, -EBUSY, "cannot remove container \"/%s\": container is %s: "
				       "stop the container before removing or force remove",
				       c->name, state_docker_name(c->state));
		c->stopped_by_hand = true;
		rc = stop(c, 0, volumes ? THEN_REMOVE_VOLUMES : THEN_REMOVE, done, arg, e);
		if (rc < 0 || rc == ENGINE_PENDING)
			return rc;
	}
	c->boot_pending = false;
	rc = lifecycle_event(c, EVENT_REMOVE, e);
	return rc < 0 ? rc : delete(c, volumes);
}

int engine_rename(struct container *c, const char *name, struct err *e)
{
	struct engine *en = c->engine;
	struct string_pair pair = { (char *)"oldName", NULL };
	autofree char *before = NULL;
	char *copy;
	int rc;

	if (*name == '/')
		name++;
	rc = container_name_free(en, name, e);
	if (rc < 0)
		return rc;
	copy = strdup(name);
	if (!copy)
		return err_set(e, -ENOMEM, "out of memory");
	before = c->name;
	c->name = copy;
	keep_now(c);
	resolver_changed(en);
	pair.value = before;
	events_add(en->events, "rename", c, &(struct string_map){ &pair, 1 });
	public_soon(en);
	return ENGINE_DONE;
}

int engine_wait(struct container *c, enum engine_wait what, engine_done_fn *done, void *arg,
		struct err *e)
{
	return wait_for(c, what == ENGINE_WAIT_EXIT ? WAIT_EXITED : WAIT_REMOVED, THEN_NOTHING, done,
			arg, e);
}
