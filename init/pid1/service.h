/* What a service is (one row of the table in services.c), and in which order services start and
 * stop. The order functions are pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "pid1/state.h"

enum { SERVICE_NAME_MAX = 32, SERVICE_AFTER_MAX = 6 };

struct service_def {
	const char *name;
	const char *const *argv;  /* NULL-terminated, argv[0] a path */
	const char *after[SERVICE_AFTER_MAX]; /* settled before this one starts; rows above only */
	enum svc_kind kind;
	bool notify;         /* writes "\n" to fd 3 when ready; else ready once it runs */
	bool in_rescue;      /* started in rescue mode too */
	bool stop_first;     /* at shutdown everything else stays up until it has ended */
	bool keep_children;  /* its end leaves its children alone (sessions of SSH) */
	bool console;        /* a person's seat: its ends are no fault, its log no news */
	const char *condition; /* path that must exist for it to be started */
	int start_ms;        /* deadline to be ready or done; then others go on without it */
	int stop_ms;         /* from SIGTERM to SIGKILL */
	unsigned max_tries;  /* oneshot: then it has failed for good; 0: without end */
	int oom_score_adj;
	int cpu_weight;      /* within system/; 0: the kernel's 100 */
};

/* The rows; `count` is set. */
const struct service_def *service_table(size_t *count);

/* Each `after` names a row above it, so that no cycle can be written; the unit tests ask. 0, or
 * -EINVAL with the sentence. */
int service_table_check(const struct service_def *const *defs, size_t count, struct err *e);

/* Everything that row `i` comes after has settled, or is not there (rescue mode). */
bool service_may_start(const struct service_def *const *defs, const bool *settled, size_t count,
		       size_t i);

/* Rows that are stop_first stop at once; another one when all of those have ended and nobody alive
 * comes after it. */
bool service_may_stop(const struct service_def *const *defs, const bool *alive, size_t count,
		      size_t i);
