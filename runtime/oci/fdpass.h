/* File descriptors over unix sockets (unix(7), SCM_RIGHTS). */
#pragma once

#include "base/err.h"

/* Connects to a caller's socket; `what` names it in the error. An fd or -errno. */
int fdpass_connect(const char *path, const char *what, struct err *e);

/* `text` goes beside the fd; runc's callers want some. 0 or -errno. */
int fdpass_send(int socket, int fd, const char *text);

/* An fd that has been sent already, or -errno. */
int fdpass_receive(int socket);
