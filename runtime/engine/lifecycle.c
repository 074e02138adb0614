/* Carries out what the state table says: one function per action, and what belongs to every
 * start and every end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/internal.h"
#include "engine/restart.h"
#include "engine/signals.h"

enum { DEFAULT_GRACE_MS = 10000, AFTER_KILL_MS = 5000 };

static void action_start(struct container *c)
{
	free(take_ptr(c->error));
	loop_remove(c->engine->loop, take_ptr(c->timer));
	c->interrupted = false;
	start_begin(c);
}

static void action_note_start(struct container *c)
{
	struct engine *en = c->engine;

	c->started_boot_ms = clock_boot_ms();
	c->started_ns = clock_wall_ns();
	c->finished_ns = 0;
	c->exit_code = 0;
	c->oom_killed = false;
	c->ever_started = true;
	free(c->boot_id);
	c->boot_id = strdup(en->boot_id);
	if (!en->boot_ms)
		en->boot_ms = c->started_boot_ms;
	events_add(en->events, "start", c, NULL);
	keep_soon(c);
	public_soon(en);
	health_begin(c);
	waiter_tell(c, WAIT_STARTED, 0, NULL);
	boot_changed(c);
}

/* After the grace time SIGKILL; if even that shows nothing, the whole cgroup. */
static void on_grace_over(struct loop *l, void *arg)
{
	struct container *c = arg;

	c->timer = NULL;
	if (c->kills++ == 0) {
		watch_signal(c, SIGKILL);
	} else {
		log_warn("container \"%s\" survived SIGKILL; killing its cgroup", c->name);
		watch_kill_cgroup(c);
	}
	c->timer = loop_timer(l, AFTER_KILL_MS, on_grace_over, c);
}

static int stop_signal(const struct container *c)
{
	struct image_config image = { 0 };
	int sig = 0;

	if (c->spec.stop_signal && *c->spec.stop_signal)
		sig = signal_number(c->spec.stop_signal);
	else if (c->image_id && !engine_image_config(c->engine, c->image_id, &image, NULL)) {
		if (image.StopSignal && *image.StopSignal)
			sig = signal_number(image.StopSignal);
		image_config_free(&image);
	}
	return sig > 0 ? sig : SIGTERM;
}

static void action_signal(struct container *c)
{
	int64_t grace = c->stop_grace_ms;

	c->kills = 0;
	if (grace < 0)
		grace = c->spec.stop_grace_ms > 0 ? c->spec.stop_grace_ms : DEFAULT_GRACE_MS;
	if (grace > 0)
		watch_signal(c, c->stop_signal ? c->stop_signal : stop_signal(c));
	c->stop_signal = 0;
	loop_remove(c->engine->loop, c->timer);
	c->timer = loop_timer(c->engine->loop, grace, on_grace_over, c);
}

static void action_thaw_signal(struct container *c)
{
	watch_freeze(c, false, NULL);
	action_signal(c);
}

static void on_backoff_over(struct loop *l, void *arg)
{
	struct container *c = arg;

	(void)l;
	c->timer = NULL;
	c->restarts++;
	lifecycle_event(c, EVENT_BACKOFF_OVER, NULL);
}

static void action_note_exit(struct container *c)
{
	keep_soon(c);
	public_soon(c->engine);
}

static void action_back_off(struct container *c)
{
	int64_t ran = c->started_boot_ms ? clock_boot_ms() - c->started_boot_ms : 0;

	action_note_exit(c);
	c->back_off_ms = restart_delay_ms(c->back_off_ms, ran);
	c->timer = loop_timer(c->engine->loop, c->back_off_ms, on_backoff_over, c);
}

static void action_give_up(struct container *c)
{
	loop_remove(c->engine->loop, take_ptr(c->timer));
	action_note_exit(c);
	waiter_tell(c, WAIT_ENDED, 0, NULL);
}

static void action_freeze(struct container *c)
{
	events_add(c->engine->events, "pause", c, NULL);
	health_pause(c, true);
	action_note_exit(c);
}

static void action_thaw(struct container *c)
{
	events_add(c->engine->events, "unpause", c, NULL);
	health_pause(c, false);
	action_note_exit(c);
}

static void action_nothing(struct container *c)
{
	(void)c;
}

static void (*const actions[])(struct container *) = {
	[ACTION_ALREADY] = action_nothing,
	[ACTION_IGNORE] = action_nothing,
	[ACTION_START] = action_start,
	[ACTION_NOTE_START] = action_note_start,
	[ACTION_ABORT_START] = start_abort,
	[ACTION_SIGNAL] = action_signal,
	[ACTION_NOTE_EXIT] = action_note_exit,
	[ACTION_BACK_OFF] = action_back_off,
	[ACTION_GIVE_UP] = action_give_up,
	[ACTION_FREEZE] = action_freeze,
	[ACTION_THAW] = action_thaw,
	[ACTION_THAW_SIGNAL] = action_thaw_signal,
	[ACTION_DELETE] = action_nothing, /* engine_remove does it: it can fail */
};

static int refuse(const struct container *c, enum container_event event, struct err *e)
{
	static const char *const verbs[EVENT_COUNT] = {
		[EVENT_START] = "start", [EVENT_STOP] = "stop", [EVENT_PAUSE] = "pause",
		[EVENT_UNPAUSE] = "unpause", [EVENT_REMOVE] = "remove",
	};

	if (event == EVENT_START && c->state == STATE_PAUSED)
		return err_set(e, -EBUSY,
			       "cannot start a paused container, try unpause instead");
	if (event == EVENT_PAUSE && c->state == STATE_PAUSED)
		return err_set(e, -EBUSY, "Container %s is already paused", c->id);
	if (event == EVENT_UNPAUSE)
		return err_set(e, -EBUSY, "Container %s is not paused", c->id);
	if (event == EVENT_PAUSE)
		return err_set(e, -EBUSY, "Container %s is not running", c->id);
	return err_set(e, -EBUSY, "cannot %s container \"%s\": it is %s",
		       verbs[event] ? verbs[event] : "change", c->name, state_name(c->state));
}

int lifecycle_event(struct container *c, enum container_event event, struct err *e)
{
	struct transition t = state_next(c->state, event);

	if (t.action == ACTION_REFUSE)
		return refuse(c, event, e);
	c->state = t.next;
	actions[t.action](c);
	return t.action == ACTION_ALREADY ? ENGINE_ALREADY : ENGINE_DONE;
}

static bool wants_restart(const struct container *c, const struct ending *how)
{
	struct restart_facts facts = {
		.exit_code = (int)c->exit_code,
		.stopped_by_hand = c->stopped_by_hand,
		.restarts = c->restarts,
	};

	return how->retry && !c->engine->stopping && restart_wanted(&c->spec.restart, &facts);
}

static void tell_die(const struct container *c)
{
	char code[24], seconds[24] = "0";
	struct string_pair pairs[] = {
		{ (char *)"execDuration", seconds }, { (char *)"exitCode", code },
	};

	snprintf(code, sizeof(code), "%lld", (long long)c->exit_code);
	if (c->finished_ns > c->started_ns)
		snprintf(seconds, sizeof(seconds), "%lld",
			 (long long)((c->finished_ns - c->started_ns) / 1000000000));
	events_add(c->engine->events, "die", c, &(struct string_map){ pairs, ARRAY_LEN(pairs) });
}

static void note_ending(struct container *c, const struct ending *how)
{
	bool ran = c->state != STATE_STARTING && c->started_ns && !c->finished_ns;

	c->exit_code = how->exit_code;
	c->oom_killed = how->oom_killed;
	c->finished_ns = how->finished_ns;
	if (how->error) {
		free(c->error);
		c->error = strdup(how->error);
		log_error("container \"%s\": %s", c->name, how->error);
	}
	if (c->engine->stopping && !c->stopped_by_hand)
		c->interrupted = true;
	if (how->oom_killed)
		events_add(c->engine->events, "oom", c, NULL);
	if (ran)
		tell_die(c);
}

static void stop_loop_when_all_ended(struct engine *en)
{
	for (size_t i = 0; i < en->count; i++)
		if (container_is_live(en->containers[i]))
			return;
	for (size_t i = 0; i < en->count; i++)
		keep_now(en->containers[i]);
	loop_stop(en->loop, 0);
}

void lifecycle_ended(struct container *c, const struct ending *how)
{
	struct engine *en = c->engine;
	struct err e = { 0 };
	bool stopping = c->state == STATE_STOPPING, again;

	start_free(c);
	loop_remove(en->loop, take_ptr(c->timer));
	note_ending(c, how);
	exec_end_all(c);
	health_end(c);
	network_release(c);
	if (bundle_remove(c, &e) < 0)
		log_warn("container \"%s\": %s", c->name, e.text);
	again = wants_restart(c, how);
	lifecycle_event(c, again ? EVENT_EXIT_AGAIN : EVENT_EXIT, NULL);
	timetable_note_end(c, how->error);
	if (stopping)
		events_add(en->events, "stop", c, NULL);
	if (c->begin_again && !en->stopping) {
		c->begin_again = false;
		lifecycle_event(c, EVENT_START, NULL);
		return;
	}
	if (how->error)
		err_set(&e, -EIO, "%s", how->error);
	waiter_tell(c, WAIT_STARTED, how->error ? -EIO : 0, &e);
	waiter_tell(c, WAIT_EXITED | (c->state == STATE_EXITED ? WAIT_ENDED : 0), 0, NULL);
	if (c->state == STATE_EXITED)
		attach_give_up(&c->attachments, NULL);
	if (c->state == STATE_EXITED)
		boot_changed(c);
	if (c->spec.auto_remove && c->state == STATE_EXITED && !c->removed)
		engine_remove(c, false, true, NULL, NULL, NULL);
	if (en->stopping)
		stop_loop_when_all_ended(en);
}

void lifecycle_stop_unasked(struct container *c)
{
	c->stop_grace_ms = -1;
	c->stop_signal = 0;
	if (c->state == STATE_RESTARTING)
		c->interrupted = true;
	lifecycle_event(c, EVENT_STOP, NULL);
}

void engine_shutdown(struct engine *en)
{
	if (en->stopping)
		return;
	en->stopping = true;
	for (size_t i = 0; i < en->count; i++) {
		en->containers[i]->boot_pending = false;
		lifecycle_stop_unasked(en->containers[i]);
	}
	stop_loop_when_all_ended(en);
}
