/* /proc/PID/mountinfo (proc_pid_mountinfo(5)). Pure. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/* Calls `each` for every mount point in `text`, the last mounted first, which is the order to
 * unmount in: what lies below or on top of another mount was mounted later. Escapes (\040 ...) are
 * decoded; a line that is none is passed over. `text` is changed. */
void mountinfo_backwards(char *text, void (*each)(const char *point, const char *type, void *arg),
			 void *arg);
