/* Private to cgroup*.c. */
#pragma once

#include "base/err.h"

/* Makes the controller available in the cgroup `path`: enables it in each level above. */
int cgroup_enable(const char *path, const char *controller, struct err *e);
