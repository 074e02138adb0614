/* The health check that a container has: what its spec says, else its image, else docker.
 * Source: docker's Dockerfile reference (HEALTHCHECK), API "HealthConfig". */
#pragma once

#include <stdbool.h>

#include "spec/container.h"
#include "spec/image.h"

struct health_plan {
	struct string_list test;  /* as spec_health's; count 0: there is no check */
	struct string_list argv;  /* what a probe runs */
	int64_t interval_ms, timeout_ms, start_period_ms, start_interval_ms, retries;
};

/* `out` has no test when there is no check. 0 or -ENOMEM. */
int health_plan_make(const struct container_spec *spec, const struct image_config *image,
		     struct health_plan *out);
void health_plan_free(struct health_plan *plan);
