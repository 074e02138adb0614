/* What one "create" works on. The parent fills it, the child (init.c) has a copy of it by fork
 * and finishes the container from within. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "oci/caps.h"
#include "oci/config.h"
#include "oci/filter.h"
#include "oci/mounts.h"
#include "oci/namespaces.h"

struct create {
	const char *root, *id;
	const char *console_socket, *pid_file; /* NULL: none */
	int preserve_fds;		       /* fds 3 ... 3 + n - 1 stay open */
	char *bundle;			       /* absolute */
	struct config config;
	struct namespaces ns;
	struct mounts mounts;
	struct caps caps;
	struct filter filter;
	char *cgroup_path;
	int bundle_fd, state_dir, cgroup;
	int rootfs;   /* detached mount of the root file system */
	int console;  /* connected to the console socket */
	int listener; /* "start" connects here */
	int sync;     /* this side's end of the pair between parent and child */
};

/* Messages of the pair, in order: parent SYNC_GO when the user namespace is mapped; child
 * SYNC_READY when the container waits for "start", or SYNC_FAILED. */
enum sync_kind { SYNC_GO = 1, SYNC_READY, SYNC_FAILED };

struct sync_message {
	enum sync_kind kind;
	uint32_t uid, gid; /* READY: the container's user, as its user namespace numbers it */
	int code;	   /* FAILED: -errno */
	struct err err;
};

int sync_send(int fd, const struct sync_message *m);
/* -EPIPE: the other side has gone. */
int sync_receive(int fd, struct sync_message *m);

/* The child. */
_Noreturn void init_run(struct create *c);
