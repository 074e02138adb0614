/* The overlay stack of one container: which directories lie on one another. The engine writes it
 * as a file of lines, the shim reads it and mounts it in its private mount namespace.
 *     lower /usr/share/berth/store/layers/HEX      topmost layer first
 *     upper /var/lib/berth/containers/ID/upper     upper and work: siblings; both or neither
 *     work /var/lib/berth/containers/ID/work       (neither: the root is read-only)
 *     idmap 131072 65536                           absent: ids as on disk
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	STACK_LOWER_MAX = 499,         /* overlayfs: OVL_MAX_STACK is 500 */
	STACK_FILE_MAX = 512 * 1024,
};

struct stack {
	char **lower;                  /* absolute, top first; at least one */
	size_t lower_count;
	char *upper, *work;            /* absolute, siblings; NULL: read-only */
	uint32_t idmap_base;           /* id 0 on disk appears as this id */
	uint32_t idmap_size;           /* 0: no id mapping */
};

void stack_free(struct stack *s);

/* Adds a layer under those that are there. 0 or -errno. */
int stack_add_lower(struct stack *s, const char *dir, struct err *e);

/* A path with a newline cannot be written down: -EINVAL. */
int stack_write(const struct stack *s, int dir, const char *name, struct err *e);
int stack_read(struct stack *out, int dir, const char *name, struct err *e);

/* Mounts it on `target` (an existing directory). The caller is in a mount namespace of its own
 * that it will not share: the layers' id-mapped mounts pass through it. 0 or -errno. */
int stack_mount(const struct stack *s, const char *target, struct err *e);
