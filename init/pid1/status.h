/* What `status` and `summary` answer. Pure: facts in, text out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "pid1/state.h"
#include "pid1/steps.h"

struct status_service {
	const char *name;
	enum svc_state state;
	bool console;      /* a person's seat: never a fault */
	bool late;         /* starting, its deadline has passed */
	pid_t pid;         /* 0: no process */
	unsigned restarts; /* by the supervisor, since boot */
	unsigned failures; /* in a row */
	int64_t since_ms;  /* when it came into this state, boot clock */
	int64_t took_ms;   /* from start to ready or done, -1: never was */
	int last_exit;     /* code, 128 + signal, -errno: could not be started; -1: never ended */
};

struct status {
	const char *version;
	const char *slot;     /* "" without slots, CMDLINE_SLOT_MEMORY from the network */
	const char *state;    /* "" : running, or degraded if something is */
	const char *rescue;   /* the reason, "" if not in rescue mode */
	bool var_in_memory;
	int64_t uptime_ms;
	const struct step_log *steps;
	const struct status_service *services;
	size_t service_count;
};

/* A service that does not do what it is there for. */
bool status_service_at_fault(const struct status_service *s);
const char *status_state(const struct status *s);

/* How a process ended, as people say it: "ended with exit code 1". */
void status_describe_exit(int last_exit, char *out, size_t room);

void status_json(const struct status *s, struct buf *out);

/* For people, one line a fact: "state degraded", then "fault SENTENCE" for each. */
void status_summary(const struct status *s, struct buf *out);
