/* A container's files as its programs see them, in a mount namespace of this process's own: of one
 * that runs a clone of its root and of its volumes, else its layers laid on one another anew.
 * Nothing of what the kernel makes (/proc, /sys, /dev) is in it, no device can be opened through
 * it, and the container keeps changing it: every path is resolved below `root` by the kernel
 * (openat2). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { TOLD_FD = 4, PROCESS_FD = 5 };

struct view {
	int root;          /* O_PATH */
	uint32_t base;     /* the id that 0 of the container is here */
	bool read_only;    /* its root is */
	char *user;        /* as the container was told; NULL: root */
};

/* What the engine told on TOLD_FD: a JSON object.
 *     "live": true           its first process is PROCESS_FD (a pidfd)
 *     "base": 131072         id 0 of it, in what it shows; absent: ids are as on disk
 *     "lower": [...], "upper", "work"   absolute, the topmost layer first; of one that is not live
 *     "mounts": [{"source", "target", "readOnly"}]   parents first; only when live without source
 *     "readOnly": true, "user": "..."
 * `scratch` is an existing directory of ours to mount on. `write`: what is changed stays; else it
 * is thrown away, and the container may be started meanwhile. From here on the process has the
 * fsuid of the container's root. 0 or -errno. */
int view_open(struct view *v, const char *scratch, bool write, struct err *e);
void view_close(struct view *v);

/* Of the same told: the container's upper directory (-1: it has none yet) and, mounted on
 * `scratch`, the layers below it on one another; ids as on disk. 0 or -errno; both are the
 * caller's. */
int view_open_changes(int *upper, int *lower, const char *scratch, struct err *e);
