/* The runtime's commands. Each gets its own name as argv[0] and returns the exit code, or -errno
 * with a sentence; main.c has the table. Source: runc's command line, as podman, containerd and
 * buildah use it. */
#pragma once

#include "base/err.h"

struct options {
	const char *root; /* where state is kept */
	char **argv;	  /* the whole command line, to run it again */
};

int cmd_create(const struct options *o, int argc, char **argv, struct err *e);
int cmd_start(const struct options *o, int argc, char **argv, struct err *e);
int cmd_run(const struct options *o, int argc, char **argv, struct err *e);
int cmd_exec(const struct options *o, int argc, char **argv, struct err *e);
int cmd_state(const struct options *o, int argc, char **argv, struct err *e);
int cmd_list(const struct options *o, int argc, char **argv, struct err *e);
int cmd_ps(const struct options *o, int argc, char **argv, struct err *e);
int cmd_kill(const struct options *o, int argc, char **argv, struct err *e);
int cmd_delete(const struct options *o, int argc, char **argv, struct err *e);
int cmd_pause(const struct options *o, int argc, char **argv, struct err *e);
int cmd_resume(const struct options *o, int argc, char **argv, struct err *e);
int cmd_update(const struct options *o, int argc, char **argv, struct err *e);
int cmd_events(const struct options *o, int argc, char **argv, struct err *e);
int cmd_spec(const struct options *o, int argc, char **argv, struct err *e);
int cmd_features(const struct options *o, int argc, char **argv, struct err *e);

int cmd_seccomp_cache(const struct options *o, int argc, char **argv, struct err *e);

/* The one word that is left must be the container's id. */
int command_id(int argc, char **argv, int index, const char **out, struct err *e);

/* A command that has no options and takes an id. */
int command_only_id(int argc, char **argv, const char **out, struct err *e);
