/* Removal of a container. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* `force`: whatever its status is, and no error if there is none. */
int delete_container(const char *root, const char *id, bool force, struct err *e);
