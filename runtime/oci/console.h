/* The container's terminal: a pair from its own devpts. The master goes over the console socket
 * to whoever asked; the other end is opened from the master itself (TIOCGPTPEER) and bound on
 * /dev/console from its fd, never by a path (CVE-2025-52565). Source: runc's terminals.md. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "spec/oci.h"

/* Whether a terminal, a detached command and --console-socket go together; runc's words. */
int console_check(bool terminal, bool detached, const char *socket, struct err *e);

/* Connects to the socket of the caller. An fd or -errno. */
int console_connect(const char *path, struct err *e);

/* `devpts`: fd of its mount. Sends the master over `socket` and returns the other end. */
int console_open(int devpts, int socket, const struct oci_box *size, struct err *e);

/* The other side of console_open: the master. */
int console_receive(int socket, struct err *e);

/* Binds the terminal on /dev/console. */
int console_bind(int terminal, int root, struct err *e);

/* Makes it the session's terminal and fds 0, 1, 2. */
int console_take(int terminal, struct err *e);
