/* The two slots of the disk that this system booted from. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "update/bootstate.h"

enum { SLOT_PATH_MAX = 80 };

struct slots {
	enum slot running;
	bool in_memory;            /* bootdisk_in_memory() */
	char state[SLOT_PATH_MAX]; /* devices: "/dev/vda3" */
	char boot[SLOT_COUNT][SLOT_PATH_MAX];
	char root[SLOT_COUNT][SLOT_PATH_MAX];
};

/* By the disk under the root and its table; the running slot is the one whose partition the root
 * lies on. -ENODEV: this machine was booted without a disk of ours. */
int slots_find(struct slots *out, struct err *e);

/* The boot state, read; and changed by bootstate_write. */
int slots_read_state(const struct slots *s, struct bootstate *out, struct err *e);
int slots_write_state(const struct slots *s, const struct bootstate *b, struct err *e);
