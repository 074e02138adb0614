/* The end of a created container's wait. */
#pragma once

#include "base/err.h"

/* Lets its first process exec. `dir`: its state directory, locked for writing. The error is exec's
 * own. */
int start_release(int dir, struct err *e);
