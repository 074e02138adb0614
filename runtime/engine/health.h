/* How a container is, by its health check: docker's states, its log of the last probes, and when
 * the next one is due. Pure; health_monitor.c runs the probes.
 * Source: docker's API, "Health"; Dockerfile reference, HEALTHCHECK. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "spec/health.h"

enum health_status { HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY, HEALTH_STATUS_COUNT };
enum { HEALTH_LOG_MOST = 5, HEALTH_OUTPUT_MAX = 4096, HEALTH_FILE_MAX = 256 * 1024 };

struct health_result {
	int64_t start_ns, end_ns; /* Unix time */
	int64_t exit_code;        /* 0: healthy; -1: it took too long, or could not be run */
	char *output;             /* at most HEALTH_OUTPUT_MAX bytes and "..."; owned */
};

struct probe;

struct health {
	struct health_plan plan;
	enum health_status status;
	int64_t streak;           /* failures, one after the other */
	struct health_result log[HEALTH_LOG_MOST];
	size_t log_count;         /* the oldest first */

	/* health_monitor.c's, while the container runs. */
	struct loop_source *timer;
	struct probe *probe;
};

const char *health_name(enum health_status status); /* docker's: "starting" ... */

/* A new start: what was is forgotten, but for the log. */
void health_reset(struct health *h);

/* Takes the result over; `ran_ms`: since the container's start, when the probe began. True: the
 * status is another one now. */
bool health_note(struct health *h, struct health_result *result, int64_t ran_ms);

/* The wait before the next probe. */
int64_t health_wait_ms(const struct health *h, int64_t ran_ms);

/* What an engine leaves to the next one, as JSON. */
void health_write(const struct health *h, struct buf *out);
int health_read(struct health *h, const char *text, size_t len); /* 0 or -errno, `h` as before */

void health_free(struct health *h); /* and itself; NULL is fine */
