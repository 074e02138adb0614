/* A service's life as a table: state x event -> next state and what to do. Pure.
 *
 *   waiting --go--> starting --ready--> running         a daemon
 *                      |   \--end_ok--> done            a oneshot
 *                      |\--end_retry--> backoff --timer--> starting
 *                       \--end_final--> failed
 *   running --end_ok--> done                            a task, which others do not wait for
 *   any of them --stop--> stopping --end--> stopped;    restart = stopping, then starting
 *
 * A service is settled when those that come after it need not wait any longer: it is ready, done,
 * failed for good, stopped, off, or late (its deadline has passed; it is then still starting). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum svc_state {
	SVC_WAITING,    /* for others to settle */
	SVC_STARTING,   /* process runs, not ready or not done yet */
	SVC_RUNNING,    /* daemon, ready */
	SVC_DONE,       /* oneshot, ended with 0 */
	SVC_BACKOFF,    /* ended, will be started again */
	SVC_STOPPING,   /* told to end */
	SVC_RESTARTING, /* told to end, to be started again at once */
	SVC_STOPPED,    /* by request */
	SVC_FAILED,     /* oneshot that used up its tries */
	SVC_OFF,        /* its condition does not hold on this machine */
	SVC_STATE_COUNT
};

enum svc_event {
	SVC_GO,        /* what it comes after has settled */
	SVC_SKIP,      /* ... but its condition does not hold */
	SVC_READY,     /* it said so, or needs not to */
	SVC_END_OK,    /* oneshot: exit code 0 */
	SVC_END_RETRY, /* ended, to be started again */
	SVC_END_FINAL, /* oneshot: failed for good */
	SVC_LATE,      /* daemon: start deadline passed */
	SVC_OVERDUE,   /* oneshot: start deadline passed; or: stop deadline passed */
	SVC_AGAIN,     /* back-off is over */
	SVC_START,     /* request */
	SVC_STOP,      /* request */
	SVC_RESTART,   /* request */
	SVC_EVENT_COUNT
};

enum svc_action {
	SVC_NOTHING,
	SVC_DO_SPAWN,
	SVC_DO_READY,   /* settle */
	SVC_DO_DONE,    /* settle */
	SVC_DO_LATE,    /* settle, though not ready */
	SVC_DO_RETRY,   /* arm the back-off timer */
	SVC_DO_FAIL,    /* settle */
	SVC_DO_SKIP,    /* settle */
	SVC_DO_TERM,    /* SIGTERM, arm the stop deadline */
	SVC_DO_KILL,    /* SIGKILL to all of it */
	SVC_DO_STOPPED, /* settle */
	SVC_ACTION_COUNT
};

enum svc_kind {
	SVC_ONESHOT, /* others wait for its end */
	SVC_DAEMON,  /* never ends */
	SVC_TASK,    /* as a daemon nobody waits for its end, which is one all the same */
};

struct svc_step {
	enum svc_state next;
	enum svc_action action;
};

/* An event that means nothing in a state leaves it as it is. */
struct svc_step svc_next(enum svc_state state, enum svc_event event);

const char *svc_state_name(enum svc_state state);

/* Has a process. */
bool svc_is_alive(enum svc_state state);

/* What an end means. `tries` have been made, of at most `max_tries` (0: without end). */
enum svc_event svc_end_event(enum svc_kind kind, int exit_code, unsigned tries, unsigned max_tries);

enum {
	SVC_BACKOFF_FIRST_MS = 100,
	SVC_BACKOFF_MAX_MS = 30000,
	SVC_STABLE_MS = 10000, /* having run this long makes the next end the first one again */
};

/* How long to wait after the nth failure in a row (1 is the first). */
int64_t svc_backoff_ms(unsigned failures);
