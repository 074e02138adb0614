/* What a container may do when, as a table: state x event -> next state and what to do. Pure;
 * lifecycle.c carries the actions out. README.md draws it. */
#pragma once

enum container_state {
	STATE_CREATED,    /* never run */
	STATE_STARTING,   /* between the wish to run and the runtime's "start" */
	STATE_RUNNING,
	STATE_PAUSED,     /* running, frozen */
	STATE_STOPPING,   /* has its signal, or its start is being taken back */
	STATE_RESTARTING, /* ended; its restart policy waits for the back-off */
	STATE_EXITED,
	STATE_DEAD,       /* its removal was begun and did not end */
	STATE_COUNT
};

enum container_event {
	EVENT_START,        /* a person, a client or the boot wants it to run */
	EVENT_STARTED,      /* the runtime's start returned */
	EVENT_EXIT,         /* ended, or could not be started; stays so */
	EVENT_EXIT_AGAIN,   /* the same, and the restart policy wants it back */
	EVENT_STOP,
	EVENT_BACKOFF_OVER,
	EVENT_PAUSE,
	EVENT_UNPAUSE,
	EVENT_REMOVE,
	EVENT_COUNT
};

enum container_action {
	ACTION_REFUSE,       /* not in this state: an error to whoever asked */
	ACTION_ALREADY,      /* it is so already: docker's 304 */
	ACTION_IGNORE,
	ACTION_START,
	ACTION_NOTE_START,
	ACTION_ABORT_START,  /* stop before it ran */
	ACTION_SIGNAL,       /* stop signal, then the grace time's clock */
	ACTION_NOTE_EXIT,
	ACTION_BACK_OFF,     /* NOTE_EXIT, and the clock of the back-off */
	ACTION_GIVE_UP,      /* no further restart */
	ACTION_FREEZE,
	ACTION_THAW,
	ACTION_THAW_SIGNAL,
	ACTION_DELETE,
};

struct transition {
	enum container_state next;
	enum container_action action;
};

struct transition state_next(enum container_state state, enum container_event event);

/* docker's names: "created", "running" (also while starting and stopping) ... */
const char *state_docker_name(enum container_state state);
const char *state_name(enum container_state state); /* ours, exact */
int state_parse(const char *name, enum container_state *out); /* of ours. 0 or -EINVAL */
