/* sd_notify(3) from inside of a container: where NOTIFY_SOCKET is set for the runtime, the
 * container gets a socket of its own at /run/notify/notify.sock, and its READY=1 is passed on to
 * the host's socket with the process's number there. Nothing else is: the rest is the container's
 * word on the host's affairs. Source: sd_notify(3); runc's notify_socket. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "spec/oci.h"

/* Adds the mount and the variable to the configuration. Nothing without NOTIFY_SOCKET. */
int notify_plan(const char *root, const char *id, struct oci_spec *spec, struct err *e);

/* Makes the folder that is mounted. */
int notify_make(int state_dir, struct err *e);

/* Binds the socket: an fd, or -1 where nobody waits for it, or -errno. Before the container's
 * program runs. */
int notify_listen(int state_dir, struct err *e);

/* Reads one message; returns whether it was READY=1, which then has been passed on. */
int notify_pass_on(int fd, pid_t pid);

/* Waits for READY=1, or for the end of the process. */
void notify_wait(int fd, pid_t pid, int pidfd);
