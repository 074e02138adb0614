/* What one "create" works on. The parent fills it, the child (init.c) has a copy of it by fork
 * and finishes the container from within. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "oci/caps.h"
#include "oci/config.h"
#include "oci/filter.h"
#include "oci/mounts.h"
#include "oci/namespaces.h"

struct create {
	const char *root, *id;
	const char *bundle_option;
	const char *console_socket, *pid_file, *pidfd_socket; /* NULL: none */
	bool foreground;		       /* the command stays, and has the terminal itself */
	bool no_new_keyring;
	bool no_process;		       /* config.json names none: "start" will fail */
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
	int pidfd;
	pid_t pid; /* of the container's first process */
};

#define CREATE_INIT(r)                                                                           \
	{ .root = (r), .bundle_option = ".", .bundle_fd = -1, .state_dir = -1, .cgroup = -1,     \
	  .rootfs = -1, .console = -1, .listener = -1, .sync = -1, .pidfd = -1 }

/* Reads and checks everything, and makes nothing. */
int create_read(struct create *c, struct err *e);

/* Makes the container, which then waits for "start"; its state directory stays locked until
 * create_release. What fails leaves nothing behind. */
int create_container(struct create *c, struct err *e);
void create_release(struct create *c);

/* The child. */
_Noreturn void init_run(struct create *c);
