/* The state partition made anew, where both copies of the boot state are lost. Its file system too,
 * through which GRUB reads them: what damaged the copies may have written over all of it. */
#pragma once

#include "base/err.h"
#include "update/bootstate.h"

/* Both copies hold `b` afterwards. -EIO: mke2fs put them where nobody looks for them. */
int statefs_make(const char *device, const struct bootstate *b, struct err *e);
