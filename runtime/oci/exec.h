/* What one "exec" works on. The parent (exec.c) fills it, the child (exec_child.c) has a copy of it
 * by fork and becomes the new process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "oci/caps.h"
#include "oci/config.h"
#include "oci/filter.h"
#include "oci/foreground.h"
#include "oci/state.h"

struct exec {
	const char *root, *id;
	/* The options. */
	const char *process_file, *user, *cwd, *label, *apparmor, *sub_cgroup;
	const char *console_socket, *pid_file, *pidfd_socket, *preserve;
	struct string_list env, caps_added, groups;
	bool terminal, detach, no_new_privs, ignore_paused;
	int preserve_fds;
	/* The container. */
	struct state state;
	struct config config;
	uint64_t namespaces; /* CLONE_NEW*, those that the child joins */
	bool user_namespace; /* the container has one, whoever joins it */
	int target;	     /* pidfd of the container's first process */
	int proc;	     /* the host's procfs, for LSM labels; else -1 */
	int cgroup;
	/* The process. */
	struct oci_process own;	     /* from the process file, */
	struct oci_process *process; /* or from the container's configuration */
	const char *user_name, *group_names;
	struct buf joined_groups; /* what group_names may be */
	struct caps caps;
	struct filter filter;
	struct foreground foreground;
	int console, sync, pidfd;
	pid_t pid;
};

/* Options, container, process: reads and checks all, makes nothing (exec_plan.c). */
int exec_plan(struct exec *x, int argc, char **argv, struct err *e);

/* The child. */
_Noreturn void exec_child(struct exec *x);
