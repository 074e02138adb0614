/* Every path that the engine touches, in one struct: tests put a prefix in front of the data and
 * name other programs, nothing else has a path in it. */
#pragma once

#include "base/err.h"

struct engine_paths {
	char *config;         /* what bootcfg made: the declared containers */
	char *run;            /* /run/berth */
	char *bundles;        /* one directory per live container */
	char *execs;          /* and one per program of exec that runs */
	char *engine_run;     /* marks that last until reboot */
	char *socket;         /* the API's */
	char *socket_alias;   /* where docker looks for it */
	char *public_file;    /* machine.json for everybody */
	char *resolv;         /* the host's resolvers */
	char *hosts;          /* the host's, for containers in its network */
	char *data;           /* /var/lib/berth */
	char *containers;
	char *volumes;
	char *networks;
	char *store_embedded;
	char *store_pulled;
	char *shim;
	char *runtime;
	char *store_program; /* what changes the image store */
	char *fetch;         /* what it speaks with registries through */
	char *dns;            /* the resolver of containers */
	char *init;           /* of containers that ask for one */
	char *cgroups;        /* cgroup v2's mount */
	char *cgroup_shims;   /* inside it */
	char *bridge;         /* not a path: the bridge's name */
};

/* Takes --root-prefix DIR and --NAME PATH for each member ("--store-embedded"). 0 or -errno. */
int engine_paths_init(struct engine_paths *p, int argc, char **argv, struct err *e);
void engine_paths_free(struct engine_paths *p);
