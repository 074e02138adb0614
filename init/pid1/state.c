#include "pid1/state.h"

#include <stddef.h>

#include "base/cleanup.h"

/* SVC_WAITING and SVC_NOTHING are both 0, so an empty cell must be told from "go to waiting":
 * no event leads there, hence an all-zero cell means "stay". */
#define TO(state, action) { SVC_##state, SVC_##action }

static const struct svc_step rules[SVC_STATE_COUNT][SVC_EVENT_COUNT] = {
	[SVC_WAITING] = {
		[SVC_GO] = TO(STARTING, DO_SPAWN),
		[SVC_SKIP] = TO(OFF, DO_SKIP),
		[SVC_START] = TO(STARTING, DO_SPAWN),
		[SVC_STOP] = TO(STOPPED, DO_STOPPED),
		[SVC_RESTART] = TO(STARTING, DO_SPAWN),
	},
	[SVC_STARTING] = {
		[SVC_READY] = TO(RUNNING, DO_READY),
		[SVC_END_OK] = TO(DONE, DO_DONE),
		[SVC_END_RETRY] = TO(BACKOFF, DO_RETRY),
		[SVC_END_FINAL] = TO(FAILED, DO_FAIL),
		[SVC_LATE] = TO(STARTING, DO_LATE),
		[SVC_OVERDUE] = TO(STARTING, DO_KILL),
		[SVC_STOP] = TO(STOPPING, DO_TERM),
		[SVC_RESTART] = TO(RESTARTING, DO_TERM),
	},
	[SVC_RUNNING] = {
		[SVC_END_OK] = TO(DONE, DO_DONE),
		[SVC_END_RETRY] = TO(BACKOFF, DO_RETRY),
		[SVC_END_FINAL] = TO(FAILED, DO_FAIL),
		[SVC_STOP] = TO(STOPPING, DO_TERM),
		[SVC_RESTART] = TO(RESTARTING, DO_TERM),
	},
	[SVC_DONE] = {
		[SVC_START] = TO(STARTING, DO_SPAWN),
		[SVC_STOP] = TO(STOPPED, DO_STOPPED),
		[SVC_RESTART] = TO(STARTING, DO_SPAWN),
	},
	[SVC_BACKOFF] = {
		[SVC_AGAIN] = TO(STARTING, DO_SPAWN),
		[SVC_START] = TO(STARTING, DO_SPAWN),
		[SVC_STOP] = TO(STOPPED, DO_STOPPED),
		[SVC_RESTART] = TO(STARTING, DO_SPAWN),
	},
	[SVC_STOPPING] = {
		[SVC_END_OK] = TO(STOPPED, DO_STOPPED),
		[SVC_END_RETRY] = TO(STOPPED, DO_STOPPED),
		[SVC_END_FINAL] = TO(STOPPED, DO_STOPPED),
		[SVC_OVERDUE] = TO(STOPPING, DO_KILL),
		[SVC_START] = TO(RESTARTING, NOTHING),
		[SVC_RESTART] = TO(RESTARTING, NOTHING),
	},
	[SVC_RESTARTING] = {
		[SVC_END_OK] = TO(STARTING, DO_SPAWN),
		[SVC_END_RETRY] = TO(STARTING, DO_SPAWN),
		[SVC_END_FINAL] = TO(STARTING, DO_SPAWN),
		[SVC_OVERDUE] = TO(RESTARTING, DO_KILL),
		[SVC_STOP] = TO(STOPPING, NOTHING),
	},
	[SVC_STOPPED] = {
		[SVC_START] = TO(STARTING, DO_SPAWN),
		[SVC_RESTART] = TO(STARTING, DO_SPAWN),
	},
	[SVC_FAILED] = {
		[SVC_START] = TO(STARTING, DO_SPAWN),
		[SVC_STOP] = TO(STOPPED, DO_STOPPED),
		[SVC_RESTART] = TO(STARTING, DO_SPAWN),
	},
	[SVC_OFF] = {
		[SVC_START] = TO(STARTING, DO_SPAWN),
		[SVC_STOP] = TO(STOPPED, DO_STOPPED),
		[SVC_RESTART] = TO(STARTING, DO_SPAWN),
	},
};

static const struct {
	const char *name;
	bool alive;
} states[SVC_STATE_COUNT] = {
	[SVC_WAITING] = { "waiting", false },   [SVC_STARTING] = { "starting", true },
	[SVC_RUNNING] = { "running", true },    [SVC_DONE] = { "done", false },
	[SVC_BACKOFF] = { "backoff", false },   [SVC_STOPPING] = { "stopping", true },
	[SVC_RESTARTING] = { "restarting", true }, [SVC_STOPPED] = { "stopped", false },
	[SVC_FAILED] = { "failed", false },     [SVC_OFF] = { "off", false },
};

struct svc_step svc_next(enum svc_state state, enum svc_event event)
{
	struct svc_step step = rules[state][event];

	if (step.next == SVC_WAITING && step.action == SVC_NOTHING)
		step.next = state;
	return step;
}

const char *svc_state_name(enum svc_state state)
{
	return states[state].name;
}

bool svc_is_alive(enum svc_state state)
{
	return states[state].alive;
}

enum svc_event svc_end_event(enum svc_kind kind, int exit_code, unsigned tries, unsigned max_tries)
{
	if (kind == SVC_DAEMON)
		return SVC_END_RETRY;
	if (exit_code == 0)
		return SVC_END_OK;
	return max_tries && tries >= max_tries ? SVC_END_FINAL : SVC_END_RETRY;
}

int64_t svc_backoff_ms(unsigned failures)
{
	int64_t ms = SVC_BACKOFF_FIRST_MS;

	for (unsigned i = 1; i < failures && ms < SVC_BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < SVC_BACKOFF_MAX_MS ? ms : SVC_BACKOFF_MAX_MS;
}
