#include "engine/state.h"

#include <errno.h>
#include <string.h>

/* What is not listed is ACTION_REFUSE and changes nothing. */
static const struct transition table[STATE_COUNT][EVENT_COUNT] = {
	[STATE_CREATED] = {
		[EVENT_START] = { STATE_STARTING, ACTION_START },
		[EVENT_STOP] = { STATE_CREATED, ACTION_ALREADY },
		[EVENT_REMOVE] = { STATE_DEAD, ACTION_DELETE },
	},
	[STATE_STARTING] = {
		[EVENT_START] = { STATE_STARTING, ACTION_IGNORE },
		[EVENT_STARTED] = { STATE_RUNNING, ACTION_NOTE_START },
		[EVENT_EXIT] = { STATE_EXITED, ACTION_NOTE_EXIT },
		[EVENT_EXIT_AGAIN] = { STATE_RESTARTING, ACTION_BACK_OFF },
		[EVENT_STOP] = { STATE_STOPPING, ACTION_ABORT_START },
	},
	[STATE_RUNNING] = {
		[EVENT_START] = { STATE_RUNNING, ACTION_ALREADY },
		[EVENT_EXIT] = { STATE_EXITED, ACTION_NOTE_EXIT },
		[EVENT_EXIT_AGAIN] = { STATE_RESTARTING, ACTION_BACK_OFF },
		[EVENT_STOP] = { STATE_STOPPING, ACTION_SIGNAL },
		[EVENT_PAUSE] = { STATE_PAUSED, ACTION_FREEZE },
	},
	[STATE_PAUSED] = {
		[EVENT_EXIT] = { STATE_EXITED, ACTION_NOTE_EXIT },
		[EVENT_EXIT_AGAIN] = { STATE_RESTARTING, ACTION_BACK_OFF },
		[EVENT_STOP] = { STATE_STOPPING, ACTION_THAW_SIGNAL },
		[EVENT_UNPAUSE] = { STATE_RUNNING, ACTION_THAW },
	},
	[STATE_STOPPING] = {
		/* A start that was under way may still report; its end follows. */
		[EVENT_STARTED] = { STATE_STOPPING, ACTION_IGNORE },
		[EVENT_EXIT] = { STATE_EXITED, ACTION_NOTE_EXIT },
		[EVENT_EXIT_AGAIN] = { STATE_EXITED, ACTION_NOTE_EXIT },
		[EVENT_STOP] = { STATE_STOPPING, ACTION_IGNORE },
	},
	[STATE_RESTARTING] = {
		[EVENT_START] = { STATE_STARTING, ACTION_START },
		[EVENT_BACKOFF_OVER] = { STATE_STARTING, ACTION_START },
		[EVENT_STOP] = { STATE_EXITED, ACTION_GIVE_UP },
	},
	[STATE_EXITED] = {
		[EVENT_START] = { STATE_STARTING, ACTION_START },
		[EVENT_STOP] = { STATE_EXITED, ACTION_ALREADY },
		[EVENT_REMOVE] = { STATE_DEAD, ACTION_DELETE },
	},
	[STATE_DEAD] = {
		[EVENT_STOP] = { STATE_DEAD, ACTION_ALREADY },
		[EVENT_REMOVE] = { STATE_DEAD, ACTION_DELETE },
	},
};

static const struct {
	const char *name, *docker;
} names[STATE_COUNT] = {
	[STATE_CREATED] = { "created", "created" },
	[STATE_STARTING] = { "starting", "created" },
	[STATE_RUNNING] = { "running", "running" },
	[STATE_PAUSED] = { "paused", "paused" },
	[STATE_STOPPING] = { "stopping", "running" },
	[STATE_RESTARTING] = { "restarting", "restarting" },
	[STATE_EXITED] = { "exited", "exited" },
	[STATE_DEAD] = { "dead", "dead" },
};

struct transition state_next(enum container_state state, enum container_event event)
{
	struct transition t = table[state][event];

	if (t.action == ACTION_REFUSE)
		t.next = state;
	return t;
}

const char *state_docker_name(enum container_state state)
{
	return names[state].docker;
}

const char *state_name(enum container_state state)
{
	return names[state].name;
}

int state_parse(const char *name, enum container_state *out)
{
	for (int i = 0; name && i < STATE_COUNT; i++) {
		if (!strcmp(names[i].name, name)) {
			*out = (enum container_state)i;
			return 0;
		}
	}
	return -EINVAL;
}
