/* The host's end of `berth cp`: files of the host to a tar, and a container's tar to files. The
 * tar is read in a jail, and nothing that is in it leads out of the directory that it goes to. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* What lies at `source`, called `as`, to standard output; its last link is followed when
 * `follow` or when a "/" comes after it. 0 or -errno. */
int local_pack(const char *source, const char *as, bool follow, struct err *e);

/* Standard input into `dir`; `was`, which all of its names begin with ("" when they do not),
 * becomes `name` (or nothing). `owned`: by whom the archive says, else by us. 0 or -errno. */
int local_place(const char *dir, const char *was, const char *name, bool owned, struct err *e);
