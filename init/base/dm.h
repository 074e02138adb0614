/* dm-verity devices through /dev/mapper/control (linux/dm-ioctl.h), for roots that the kernel does
 * not set up by itself from its command line. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Makes the read-only device `name` with one target, verity, of `sectors`; `table` is what follows
 * "verity" in a table's line (Documentation/admin-guide/device-mapper/verity.rst). The devices
 * that it names are looked up by their paths. 0 or -errno. */
int dm_make_verity(const char *name, uint64_t sectors, const char *table, struct err *e);

/* Appends the line of the device's first target: "0 SECTORS TYPE TABLE". 0 or -errno. */
int dm_table(const char *name, struct buf *out, struct err *e);
