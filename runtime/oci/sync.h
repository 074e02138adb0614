/* Messages between the runtime and the process that it makes, over a SOCK_SEQPACKET pair.
 *
 * create, from the child; the parent answers MOUNTED and LISTENER with GO:
 *   BORN      the process between, that joined a user namespace, has made the child
 *   CLOCKS    a time namespace waits for its offsets
 *   (GO)      from the parent: the user namespace is mapped
 *   MOUNTED   all is mounted, the pivot not yet done: devices and hooks that are the parent's
 *   LISTENER  with the fd of a seccomp listener
 *   READY     the container waits for "start"
 * exec: the child sends READY, and waits for GO before it execs.
 * FAILED ends either. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum sync_kind {
	SYNC_GO = 1,
	SYNC_BORN,
	SYNC_CLOCKS,
	SYNC_MOUNTED,
	SYNC_LISTENER,
	SYNC_READY,
	SYNC_FAILED
};

struct sync_message {
	enum sync_kind kind;
	pid_t pid;	   /* GO, BORN: the child's, as the host numbers it */
	bool bind_devices; /* GO: the parent may not make device nodes */
	uint32_t uid, gid; /* READY: the process's user, as its user namespace numbers it */
	bool placed;	   /* MOUNTED, FAILED: the root file system is mounted */
	int code;	   /* FAILED: -errno */
	struct err err;
};

int sync_send(int fd, const struct sync_message *m);
/* By the one call that a filter with a listener may not ask its agent about, sendmsg. */
int sync_send_fd(int fd, const struct sync_message *m, int passed);

/* -EPIPE: the other side has gone. */
int sync_receive(int fd, struct sync_message *m);
/* `passed` gets the fd that came with it, or -1. */
int sync_receive_fd(int fd, struct sync_message *m, int *passed);
