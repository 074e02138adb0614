/* The boot configuration in force, as bootcfg leaves it: /run/berth/config.json. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Another one in tests. */
extern const char *hostconfig_path;

/* Its text. 0 or -errno; -ENOENT: bootcfg has not been there yet. */
int hostconfig_read(struct buf *out, struct err *e);
