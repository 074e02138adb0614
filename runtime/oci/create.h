/* What one "create" works on. The parent fills it, the child (init.c) has a copy of it by fork
 * and finishes the container from within. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "oci/caps.h"
#include "oci/config.h"
#include "oci/devices.h"
#include "oci/filter.h"
#include "oci/hooks.h"
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
	struct devices devices;
	char *rootfs_path; /* absolute */
	char *cgroup_path; /* "": none, which only a caller without rights gets */
	bool placed;	   /* the root file system is mounted in the child's namespace */
	bool child_opens;  /* the child opens the files, in a mount namespace that it has rights on */
	int bundle_fd, state_dir, cgroup;
	int rootfs;   /* mount of the root file system: detached, until the child puts it in place */
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

/* ---- for create*.c and init.c ---- */

/* Whether the child stops when all is mounted, for the parent's part. */
bool create_has_pause(const struct create *c);

/* What is opened with rights on the host: by the parent, or in a container without such by the
 * child. */
int create_open_files(struct create *c, struct err *e);

/* The clone and all that the parent does until the container is created. c->pid is set as soon as
 * there is one. */
int create_child(struct create *c, struct err *e);

/* What hooks and seccomp agents are told of the container. */
struct hook_state create_state(const struct create *c, const char *status, pid_t pid);

/* The child. */
_Noreturn void init_run(struct create *c);
