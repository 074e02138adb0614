/* Messages between the runtime and the process that it makes, over a SOCK_SEQPACKET pair. */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* create: the parent sends SYNC_GO when the user namespace is mapped, the child SYNC_READY when it
 * waits for "start". exec: the child sends SYNC_READY, and waits for SYNC_GO before it execs.
 * SYNC_FAILED ends either. */
enum sync_kind { SYNC_GO = 1, SYNC_READY, SYNC_FAILED };

struct sync_message {
	enum sync_kind kind;
	uint32_t uid, gid; /* READY: the process's user, as its user namespace numbers it */
	int code;	   /* FAILED: -errno */
	struct err err;
};

int sync_send(int fd, const struct sync_message *m);
/* -EPIPE: the other side has gone. */
int sync_receive(int fd, struct sync_message *m);
