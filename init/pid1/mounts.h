/* The machine's own mounts, as one table; and taking everything down at the end. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct machine;

/* Steps (pid1/steps.h). */
int mounts_step_system(struct machine *m, struct err *say);   /* proc, sys, dev, run ... */
int mounts_step_root(struct machine *m, struct err *say);     /* "/" nosuid, shared */
int mounts_step_etc(struct machine *m, struct err *say);      /* writable /etc over the image's */
int mounts_step_var(struct machine *m, struct err *say);      /* after `data`: /var, its folders */

/* Unmounts what can be, the last mounted first, and makes read-only what cannot. Bounded passes.
 * Returns how many file systems on disks are still writable. */
int mounts_take_down(void);
