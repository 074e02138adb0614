#include "engine/dependency.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

static bool is_coming(const struct dependency_facts *f)
{
	return f->to_start || f->state == STATE_STARTING || f->state == STATE_RESTARTING;
}

static bool runs(const struct dependency_facts *f)
{
	return f->state == STATE_RUNNING || f->state == STATE_PAUSED;
}

static enum dependency never(const struct dependency_facts *f, char why[DEPENDENCY_WHY_MAX])
{
	snprintf(why, DEPENDENCY_WHY_MAX, "%s", f->failed ? "could not be started" : "does not run");
	return DEPENDENCY_NEVER;
}

static enum dependency judge_started(const struct dependency_facts *f,
				     char why[DEPENDENCY_WHY_MAX])
{
	if (f->ran || runs(f))
		return DEPENDENCY_READY;
	return is_coming(f) ? DEPENDENCY_WAITS : never(f, why);
}

/* One that is unhealthy may get better, and nobody stands beside the machine: it is waited for. */
static enum dependency judge_healthy(const struct dependency_facts *f,
				     char why[DEPENDENCY_WHY_MAX])
{
	if (is_coming(f))
		return DEPENDENCY_WAITS;
	if (!runs(f))
		return never(f, why);
	if (!f->has_check) {
		snprintf(why, DEPENDENCY_WHY_MAX, "has no health check");
		return DEPENDENCY_NEVER;
	}
	return f->health == HEALTH_HEALTHY ? DEPENDENCY_READY : DEPENDENCY_WAITS;
}

static enum dependency judge_completed(const struct dependency_facts *f,
				       char why[DEPENDENCY_WHY_MAX])
{
	if (is_coming(f) || runs(f) || f->state == STATE_STOPPING)
		return DEPENDENCY_WAITS;
	if (!f->ran || f->failed)
		return never(f, why);
	if (!f->exit_code)
		return DEPENDENCY_READY;
	snprintf(why, DEPENDENCY_WHY_MAX, "ended with code %lld", (long long)f->exit_code);
	return DEPENDENCY_NEVER;
}

enum dependency dependency_judge(const struct dependency_facts *f, enum dependency_need need,
				 char why[DEPENDENCY_WHY_MAX])
{
	static enum dependency (*const judges[])(const struct dependency_facts *, char *) = {
		[NEED_STARTED] = judge_started,
		[NEED_HEALTHY] = judge_healthy,
		[NEED_COMPLETED] = judge_completed,
	};

	return judges[need](f, why);
}

bool dependency_in_circle(size_t node, size_t count, dependency_next_fn *next, void *arg)
{
	autofree bool *seen = calloc(count, sizeof(*seen));
	autofree size_t *todo = calloc(count, sizeof(*todo)); /* each comes here once */
	size_t left = 0, on;

	if (!seen || !todo)
		return false;
	todo[left++] = node;
	while (left) {
		size_t at = todo[--left];

		for (size_t nth = 0; next(arg, at, nth, &on); nth++) {
			if (on == node)
				return true;
			if (on == count || seen[on])
				continue;
			seen[on] = true;
			todo[left++] = on;
		}
	}
	return false;
}
