/* A process on its way into a container: the first one ("create") and any later one ("exec")
 * alike. All of this runs in the process itself, inside of the container's namespaces, with "/"
 * the container's; what takes rights on the host is done to it from outside (limits.h).
 * Source: runtime-spec config.md, "Process". */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "oci/caps.h"
#include "oci/filter.h"
#include "oci/user.h"
#include "spec/oci.h"

struct process {
	const struct oci_process *spec;
	const char *user_name, *groups; /* by name, see user.h; NULL: by number, in `spec` */
	const struct caps *caps;
	const struct filter *filter;
	const struct oci_personality *personality; /* NULL: as it is */
	int proc;	  /* a procfs mount that no container could have changed */
	int root;	  /* the container's "/" */
	int terminal;	  /* -1: none */
	int preserve_fds; /* fds 3 ... 3 + n - 1 stay open */
	bool keep_keyring; /* the caller's session keyring, in place of a new one */
	/* Takes the listener of a filter that notifies to the runtime, from behind the filter. */
	int (*give_listener)(void *to, int fd, struct err *e);
	void *give_to;
	/* Runs last before exec, with the process's own rights; NULL: nothing to run. */
	int (*before_exec)(void *arg, struct err *e);
	void *before_exec_arg;
	struct user user; /* from here on it is filled below */
	char **env;
	char *program; /* what will be exec'ed */
};

/* Outside, before anything is made: what can be seen to be wrong. */
int process_check(const struct oci_process *p, const struct oci_personality *personality,
		  struct err *e);

/* In a user namespace that was just made or joined: its root, whatever we were outside. */
int process_become_root(const struct oci_linux *l, struct err *e);

/* In the order of the calls. First what the image's files are read for: the user and his groups,
 * and HOME. */
int process_look_up(struct process *p, struct err *e);

/* A working directory that the image lacks is made. */
int process_make_cwd(const struct process *p, struct err *e);

/* Takes the terminal, gives up every right that was not asked for, changes the directory and
 * finds the program. */
int process_enter(struct process *p, struct err *e);

/* Says on `report` why exec failed, or closes it by exec. */
_Noreturn void process_exec(struct process *p, int report);
