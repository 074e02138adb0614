/* Private to cgroup*.c. */
#pragma once

#include "base/err.h"

/* Writes a file of the cgroup, in this cgroup file system and nowhere else. */
int cgroup_put(int cgroup, const char *file, const char *value, struct err *e);

/* Makes the controller available in the cgroup `path`: enables it in each level above. */
int cgroup_enable(const char *path, const char *controller, struct err *e);
