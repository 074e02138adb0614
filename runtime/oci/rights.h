/* What the caller is, where it matters: rootless. */
#pragma once

#include <stdbool.h>

/* Root of the machine, not of a user namespace. Looked up once, and only when a right was
 * refused. */
bool rights_are_full(void);
