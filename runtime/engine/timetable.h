/* Containers that run by a schedule (`schedule:` of the boot configuration): started when they are
 * due, one run at a time, the last runs remembered with the container. What fell due while the
 * machine was off is not made up, except that "every N" counts from the last run's beginning. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct container;
struct timetable;

enum { TIMETABLE_RUNS_MAX = 16 };

/* One run that is over. */
struct run {
	int64_t started_ns, finished_ns; /* Unix time */
	int64_t exit_code;               /* 125: it could not be started */
};

struct run_list {
	struct run *items; /* the oldest first */
	size_t count;
};

/* If its spec has a schedule and it is not followed yet. */
void timetable_follow(struct container *c);
/* Its run has ended; `error`: it never began. */
void timetable_note_end(struct container *c, const char *error);
/* Unix time of the next run; -1: none. */
int64_t timetable_next_s(const struct container *c);
void timetable_free(struct container *c);
