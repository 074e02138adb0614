/* One container, from its root file system to the record of its end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "shim/lines.h"
#include "shim/logfile.h"

struct options {
	const char *id;
	const char *dir;            /* the container's run directory */
	const char *log;            /* NULL: output is dropped */
	uint64_t log_max_bytes;
	unsigned int log_max_files;
	const char *runtime;        /* the OCI runtime's program */
	int status_fd;
	bool tty;
};

enum { CLIENTS_MAX = 32 };

struct output {
	struct lines lines;
	int fd;                     /* our end; -1: ended */
	struct loop_source *source;
	struct shim *shim;
};

struct client {
	int fd;                     /* 0: free */
	struct loop_source *source;
};

struct shim {
	const struct options *options;
	struct loop *loop;
	struct logfile *log;
	int dir;                    /* fd of options->dir */
	int listener;
	int cgroup;                 /* fd of the container's cgroup directory, or -1 */
	pid_t pid;                  /* of the container's first process */
	int status;                 /* as waitpid gave it */
	struct output outputs[2];   /* stdout and stderr; with a terminal only the first */
	struct client clients[CLIENTS_MAX];
};

/* create.c: mounts the root, runs "RUNTIME create". Fills pid, cgroup, outputs. 0 or -errno. */
int shim_create(struct shim *s, struct err *e);
/* Runs "RUNTIME delete --force". */
void shim_delete(struct shim *s);

/* console.c: a socket that the runtime sends the terminal's master to. */
int console_listen(const char *path, struct err *e);
int console_receive(int listener, struct err *e);

/* watch.c: answers on shim.sock, copies output, until the container has ended. 0 or -errno. */
int shim_listen(struct shim *s, struct err *e);
int shim_watch(struct shim *s, struct err *e);

/* record.c: writes the file "exit". 0 or -errno. */
int shim_record(struct shim *s, struct err *e);
