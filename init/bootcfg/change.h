/* From the configuration in force to another one while the machine runs. A table says which
 * top-level keys take effect at once. */
#pragma once

#include <yyjson.h>

#include "base/buf.h"
#include "bootcfg/apply.h"

/* A line for each key that differs: "hostname: changed, at once". Values are not shown:
 * environments and files hold secrets. Returns how many. */
size_t change_list(yyjson_mut_val *from, yyjson_mut_val *to, struct buf *out);

/* Makes the machine what `a->config` says where that differs from `from` and can be done at once.
 * What cannot be done is among a->faults. */
void change_make(yyjson_mut_val *from, struct apply *a);
