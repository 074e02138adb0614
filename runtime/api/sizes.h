/* Sizes of containers' changes and of volumes: counted by a process of its own, so that the
 * engine does not wait for a walk through millions of files. */
#pragma once

#include <stdint.h>

#include "api/request.h"

struct sizes;

enum { SIZES_CONTAINERS = 1, SIZES_VOLUMES = 2 };

/* Gives the answer. Containers and volumes may have come and gone since they were counted. */
typedef void sizes_fn(struct request *r, const struct sizes *s);

/* Counts, and calls `fn` when it is done; an error is the answer. `only`: this container alone. */
void sizes_count(struct request *r, unsigned what, const struct container *only, sizes_fn *fn);

/* Bytes; 0: not counted. By the container's id, the volume's name. */
int64_t sizes_of(const struct sizes *s, const char *name);

/* Of all files that a container shows: its image's and what it has changed. */
int64_t sizes_of_root(const struct sizes *s, const struct container *c);
