/* Runs the services: the glue between the table of states (pid1/state.h) and processes, pipes,
 * cgroups and timers. One per machine; services are never removed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "pid1/request.h"
#include "pid1/service.h"
#include "pid1/status.h"

struct supervisor;

enum { SERVICES_MAX = 20 };

struct supervisor_hooks {
	/* The service has settled for the first time; what comes after it starts when this returns. */
	void (*settled)(const char *name, void *arg);
	void (*all_settled)(void *arg); /* once */
	void (*all_stopped)(void *arg); /* after supervisor_stop_all */
	void *arg;
};

/* `log_dir` is not owned; -1 is fine, then there are no log files. */
int supervisor_new(struct loop *loop, int log_dir, const struct supervisor_hooks *hooks,
		   struct supervisor **out, struct err *e);

/* `def` and what it points at must stay. */
int supervisor_add(struct supervisor *s, const struct service_def *def, struct err *e);

void supervisor_start(struct supervisor *s);

/* Those that are not for rescue mode stay off, if they have not begun yet. */
void supervisor_rescue_only(struct supervisor *s);

/* start, stop, restart. 0, or -errno with the sentence. */
int supervisor_request(struct supervisor *s, enum request_verb verb, const char *name,
		       struct err *e);

/* Stops everything, in order; nothing is started any more. */
void supervisor_stop_all(struct supervisor *s);

/* A child has ended; `status` is waitpid's. Others than services' are passed over. */
void supervisor_child_ended(struct supervisor *s, pid_t pid, int status);

/* Fills `out`, returns how many. */
size_t supervisor_status(const struct supervisor *s, struct status_service *out, size_t room);

/* Tells of each service that others still wait for. */
void supervisor_tell_slow(const struct supervisor *s);

/* The first service that has been told to end and has not, NULL if there is none; `since_ms`
 * when it was told, `grace_ms` how long it has. */
const char *supervisor_waits_for(const struct supervisor *s, int64_t *since_ms, int *grace_ms);
