#include "update/auto.h"

enum { WAKE_MS = 60000, WAKE_SOON_MS = 3000, BACKOFF_MS = 30000, BACKOFF_SHIFT_MAX = 12 };

static const char *const levels[AUTO_LEVEL_COUNT] = {
	[AUTO_OFF] = "off",         [AUTO_CHECK] = "check",   [AUTO_FETCH] = "fetch",
	[AUTO_INSTALL] = "install", [AUTO_REBOOT] = "reboot",
};

static const struct {
	const char *name, *text;
} reasons[WHY_COUNT] = {
	[WHY_OFF] = { "off", "nothing is done by itself" },
	[WHY_TRIAL] = { "trial", "waits for the gate to decide about the running version" },
	[WHY_SETTLE] = { "settle", "waits for the gate to note that the other slot failed" },
	[WHY_UNKNOWN] = { "unknown", "waits for the channel's first answer since this boot" },
	[WHY_NEWEST] = { "newest", "runs what the channel has" },
	[WHY_REFUSED] = { "refused", "refused here until berth update forget" },
	[WHY_AVAILABLE] = { "available", "there is a new version (berth update install)" },
	[WHY_FETCHED] = { "fetched", "the new version is fetched (berth update install)" },
	[WHY_INSTALLED] = { "installed", "the new version is installed, the next reboot tries it" },
	[WHY_CLOCK] = { "clock", "waits for a time server to set the clock" },
	[WHY_TURN] = { "turn", "waits for its turn in the roll-out" },
	[WHY_RETRY] = { "retry", "waits before it tries again" },
	[WHY_WINDOW] = { "window", "waits for a window to reboot in" },
	[WHY_LOCK] = { "lock", "waits for the fleet's reboot lock" },
	[WHY_RELEASE] = { "release", "waits until the fleet's reboot lock can be given back" },
	[WHY_REBOOT] = { "reboot", "reboots into the new version" },
};

const char *auto_why_text(enum auto_why why)
{
	return reasons[why].text;
}

const char *auto_why_name(enum auto_why why)
{
	return reasons[why].name;
}

const char *auto_level_name(enum auto_level level)
{
	return levels[level];
}

static struct auto_plan act(enum auto_act what, enum auto_why why)
{
	return (struct auto_plan){ .act = what, .why = why };
}

static struct auto_plan wait_for(enum auto_why why, int64_t until_s)
{
	return (struct auto_plan){ .act = ACT_WAIT, .why = why, .until_s = until_s };
}

static int64_t in_wall(const struct auto_view *v, int64_t at_ms)
{
	return v->now_s + (at_ms - v->now_ms + 999) / 1000;
}

/* A new version, on its way into the other slot. */
static struct auto_plan take(const struct auto_view *v)
{
	if (v->level == AUTO_CHECK)
		return wait_for(WHY_AVAILABLE, 0);
	if (v->turn_s && !v->clock_set)
		return wait_for(WHY_CLOCK, 0);
	if (v->turn_s > v->now_s)
		return wait_for(WHY_TURN, v->turn_s);
	if (v->level == AUTO_FETCH && v->offer == OFFER_FETCHED)
		return wait_for(WHY_FETCHED, 0);
	if (v->try_ms > v->now_ms)
		return wait_for(WHY_RETRY, in_wall(v, v->try_ms));
	return act(v->level == AUTO_FETCH ? ACT_FETCH : ACT_INSTALL, WHY_AVAILABLE);
}

/* It is in the other slot: now the reboot. */
static struct auto_plan start_it(const struct auto_view *v)
{
	if (v->level != AUTO_REBOOT)
		return wait_for(WHY_INSTALLED, 0);
	if (v->rebooting)
		return wait_for(WHY_REBOOT, 0);
	if (v->has_windows && !v->clock_set)
		return wait_for(WHY_CLOCK, 0);
	if (v->has_windows && !v->window_open)
		return wait_for(WHY_WINDOW, v->window_s);
	if (!v->lock_wanted || v->lock == LOCK_HELD)
		return act(ACT_REBOOT, WHY_REBOOT);
	if (v->lock_ms > v->now_ms)
		return wait_for(WHY_LOCK, in_wall(v, v->lock_ms));
	return act(ACT_LOCK, WHY_LOCK);
}

static struct auto_plan go_on(const struct auto_view *v)
{
	switch (v->offer) {
	case OFFER_RUNNING: return wait_for(WHY_NEWEST, 0);
	case OFFER_REFUSED: return wait_for(WHY_REFUSED, 0);
	case OFFER_NEW:
	case OFFER_FETCHED: return take(v);
	case OFFER_INSTALLED: return start_it(v);
	default: return wait_for(WHY_UNKNOWN, 0);
	}
}

/* The lock is for a reboot that is about to happen. One from a boot before goes back first. */
static bool keeps_lock(const struct auto_view *v, const struct auto_plan *p)
{
	return v->lock != LOCK_STALE &&
	       (p->act == ACT_LOCK || p->act == ACT_REBOOT || p->why == WHY_LOCK || p->why == WHY_REBOOT);
}

static struct auto_plan give_back(const struct auto_view *v, struct auto_plan p)
{
	bool needs_it = p.act == ACT_LOCK || p.act == ACT_REBOOT || p.act == ACT_END;

	if (v->release_ms <= v->now_ms)
		return act(ACT_RELEASE, WHY_RELEASE);
	return needs_it ? wait_for(WHY_RELEASE, in_wall(v, v->release_ms)) : p;
}

static struct auto_plan decide(const struct auto_view *v)
{
	struct auto_plan p;

	/* Until the gate has decided, the machine is one that is away. */
	if (v->on_trial)
		return wait_for(WHY_TRIAL, 0);
	if (v->unsettled)
		return wait_for(WHY_SETTLE, 0);
	p = v->level == AUTO_OFF ? act(ACT_END, WHY_OFF) : go_on(v);
	if (v->lock != LOCK_NONE && !keeps_lock(v, &p))
		p = give_back(v, p);
	/* Once the lock is held the reboot comes first: others wait for it. */
	if (v->level != AUTO_OFF && v->check_ms <= v->now_ms && !v->rebooting && p.act != ACT_REBOOT)
		return act(ACT_CHECK, WHY_UNKNOWN);
	return p;
}

/* What lies in the past waits for something else. */
static void sooner(struct auto_plan *p, const struct auto_view *v, int64_t at)
{
	if (at > v->now_ms && at < p->wake_ms)
		p->wake_ms = at;
}

struct auto_plan auto_decide(const struct auto_view *v)
{
	struct auto_plan p = decide(v);
	bool soon = p.why == WHY_TRIAL || p.why == WHY_SETTLE || p.why == WHY_REBOOT;

	/* At least once a minute: configuration, slots and clock change without a word. */
	p.wake_ms = v->now_ms + (soon ? WAKE_SOON_MS : WAKE_MS);
	if (soon)
		return p;
	if (v->level != AUTO_OFF)
		sooner(&p, v, v->check_ms);
	if (v->lock != LOCK_NONE)
		sooner(&p, v, v->release_ms);
	if (p.until_s)
		sooner(&p, v, v->now_ms + (p.until_s - v->now_s) * 1000);
	return p;
}

int64_t auto_interval_ms(int64_t interval_ms, uint32_t random)
{
	int64_t tenth = interval_ms / 10;

	return interval_ms - tenth + (int64_t)(random % (uint64_t)(2 * tenth + 1));
}

int64_t auto_backoff_ms(unsigned failures, int64_t interval_ms, uint32_t random)
{
	unsigned shift = failures > 1 ? failures - 1 : 0;
	int64_t most = (int64_t)BACKOFF_MS << (shift < BACKOFF_SHIFT_MAX ? shift : BACKOFF_SHIFT_MAX);

	if (most > interval_ms)
		most = interval_ms;
	return most - (int64_t)(random % (uint64_t)(most / 4 + 1));
}
