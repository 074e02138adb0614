/* Which handler answers which request: a table of method and path pattern. "{}" stands for one
 * segment, "{*}" for one or more (image names have slashes). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct request;

enum { ROUTE_PARAM_MAX = 256, API_MINOR_LEAST = 24, API_MINOR_MOST = 51 };

typedef void route_fn(struct request *r);

struct route {
	const char *method;
	const char *pattern;
	route_fn *handler;   /* NULL: known to docker, not to us: 501 with `why` */
	const char *why;
};

/* Is it `path` (without version)? The text for {} or {*} goes to `param`. */
bool route_matches(const char *pattern, const char *path, char param[ROUTE_PARAM_MAX]);

/* The row for method and path; NULL with `*wrong_method` when only the method does not fit. */
const struct route *route_find(const struct route *table, size_t count, const char *method,
			       const char *path, char param[ROUTE_PARAM_MAX], bool *wrong_method);

/* Takes "/v1.44" off the path's front. 0: no version given; the minor number; or -EINVAL when it
 * is no version of ours. */
int route_version(const char **path);
