/* May a container start, as far as one that it depends on is concerned? Pure.
 * Source: compose-spec, depends_on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/health.h"
#include "engine/state.h"

enum dependency_need { NEED_STARTED, NEED_HEALTHY, NEED_COMPLETED };
enum dependency { DEPENDENCY_READY, DEPENDENCY_WAITS, DEPENDENCY_NEVER };

struct dependency_facts {
	enum container_state state;
	bool to_start;   /* it waits for its own start */
	bool ran;        /* in this boot */
	bool failed;     /* it could not be started */
	int64_t exit_code;
	bool has_check;
	enum health_status health;
};

/* Does `node`, one of `count`, wait for itself in the end? `next` says whom `node` waits for, the
 * nth of them in `on` (`count`: nobody that counts); false: there are no more. */
typedef bool dependency_next_fn(void *arg, size_t node, size_t nth, size_t *on);
bool dependency_in_circle(size_t node, size_t count, dependency_next_fn *next, void *arg);

/* NEVER, with what is the matter in `why`: "does not run", "ended with code 3" ... */
enum { DEPENDENCY_WHY_MAX = 48 };
enum dependency dependency_judge(const struct dependency_facts *f, enum dependency_need need,
				 char why[DEPENDENCY_WHY_MAX]);
