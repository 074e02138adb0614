#include "engine/timetable.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/schedule.h"
#include "engine/internal.h"

/* The clock may be set at any time, so nobody sleeps longer than a look; and what it leapt over by
 * more than a few looks was not waited for. */
enum { LOOK_MS = 30 * 1000, LEAP_S = 300 };

struct timetable {
	struct schedule when;
	int64_t since_s; /* what was due until then is done, or left out */
	struct loop_source *look;
};

static int64_t now_s(void)
{
	return clock_wall_ns() / 1000000000;
}

static void look_again(struct container *c);

static void run(struct container *c)
{
	if (container_is_live(c) || c->state == STATE_RESTARTING || c->boot_pending) {
		log_warn("container \"%s\" still runs: a run of its schedule is left out", c->name);
		return;
	}
	c->stopped_by_hand = false;
	c->restarts = 0;
	c->boot_pending = true; /* starts when what it depends on is as it should be */
	boot_changed(c);
}

static void on_look(struct loop *l, void *arg)
{
	struct container *c = arg;
	struct timetable *t = c->timetable;
	int64_t now = now_s(), due = schedule_next(&t->when, t->since_s);
	bool leapt = now < t->since_s || (!t->when.every_s && now - t->since_s > LEAP_S);

	(void)l;
	t->look = NULL;
	if (due >= 0 && due <= now && !leapt)
		run(c);
	if (leapt || !t->when.every_s || (due >= 0 && due <= now))
		t->since_s = now;
	look_again(c);
}

static void look_again(struct container *c)
{
	struct timetable *t = c->timetable;
	int64_t due = schedule_next(&t->when, t->since_s), ms = (due - now_s()) * 1000;

	if (due < 0 || c->removed || c->engine->stopping)
		return;
	t->look = loop_timer(c->engine->loop, ms < 0 ? 0 : ms > LOOK_MS ? LOOK_MS : ms, on_look, c);
}

void timetable_follow(struct container *c)
{
	struct timetable *t;
	struct err e = { "" };

	if (!c->spec.schedule || c->timetable || c->removed)
		return;
	t = calloc(1, sizeof(*t));
	if (!t || schedule_parse(c->spec.schedule, &t->when, &e) < 0) {
		log_error("container \"%s\" has no schedule: %s", c->name, t ? e.text : "out of memory");
		free(t);
		return;
	}
	t->since_s = now_s();
	if (t->when.every_s) {
		int64_t last = c->runs.count ? c->runs.items[c->runs.count - 1].started_ns / 1000000000 : 0;

		t->since_s = last && last <= t->since_s ? last : t->since_s - t->when.every_s;
	}
	c->timetable = t;
	look_again(c);
}

void timetable_note_end(struct container *c, const char *error)
{
	struct run_list *runs = &c->runs;
	struct run *r;

	if (!c->spec.schedule || c->state != STATE_EXITED)
		return;
	if (runs->count == TIMETABLE_RUNS_MAX)
		memmove(runs->items, runs->items + 1, --runs->count * sizeof(*r));
	r = reallocarray(runs->items, runs->count + 1, sizeof(*r));
	if (!r)
		return;
	runs->items = r;
	r[runs->count++] = (struct run){
		.started_ns = error ? c->finished_ns : c->started_ns,
		.finished_ns = c->finished_ns, .exit_code = c->exit_code,
	};
	keep_soon(c);
}

int64_t timetable_next_s(const struct container *c)
{
	return c->timetable ? schedule_next(&c->timetable->when, c->timetable->since_s) : -1;
}

void timetable_free(struct container *c)
{
	if (c->timetable)
		loop_remove(c->engine->loop, c->timetable->look);
	free(take_ptr(c->timetable));
	free(c->runs.items);
	c->runs = (struct run_list){ NULL, 0 };
}
