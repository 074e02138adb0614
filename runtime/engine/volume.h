/* Named volumes as things of their own: VOLUMES/NAME/_data, and beside it labels.json, what its
 * maker said of it. A volume is there when its _data is; a container's start makes one too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct engine;

struct volume {
	char *name;
	char *mountpoint;
	char *labels;       /* a JSON object; NULL: none */
	int64_t created_ns;
	bool anonymous;
	bool used;          /* some container has it */
};

void volume_free(struct volume *v);

/* All of them by name; to be freed one by one, and the list. 0 or -errno. */
int volumes_list(const struct engine *en, struct volume **out, size_t *count, struct err *e);

/* -ENOENT: "get NAME: no such volume". */
int volume_get(const struct engine *en, const char *name, struct volume *out, struct err *e);

/* One that is there already stays as it is. `labels` as above. -EINVAL: no name for a volume. */
int volume_create(struct engine *en, const char *name, const char *labels, struct err *e);

/* -EBUSY: a container has it. */
int volume_remove(struct engine *en, const char *name, struct err *e);
