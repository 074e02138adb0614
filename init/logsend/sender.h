/* The process that speaks with the server, in the jail: records in, messages out. */
#pragma once

#include <stdint.h>

#include "logsend/settings.h"

/* Until the pipe ends. Returns the process's exit code. */
int sender_run(const struct settings *s, int64_t booted_ns, int pipe_fd);
