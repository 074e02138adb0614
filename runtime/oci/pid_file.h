/* --pid-file and --pidfd-socket: which process it is. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* Replaced atomically: whoever sees it sees all of the number. NULL: none is asked for. */
int pid_file_write(const char *path, pid_t pid, struct err *e);

/* Sends the pidfd to whoever listens there. NULL: none is asked for. */
int pid_file_send(const char *socket, int pidfd, struct err *e);
