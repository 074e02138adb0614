/* One container, from its root file system to the record of its end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "shim/attach.h"
#include "shim/lines.h"
#include "shim/logfile.h"
#include "shim/syslog.h"

struct options {
	const char *id;
	const char *dir;            /* the container's run directory */
	const char *log;            /* NULL: output is dropped */
	uint64_t log_max_bytes;
	unsigned int log_max_files;
	struct syslog_options syslog; /* address NULL: a file */
	const char *runtime;        /* the OCI runtime's program */
	int status_fd;
	bool tty;
	bool stdin_open;            /* the container has a stdin other than /dev/null */
	bool stdin_once;            /* which ends with the first client's */
	bool await_client;          /* exec: read nothing before the first client */
	uint64_t time_limit_ms;     /* exec: killed after that; 0: no limit */
	const char *const *exec_args; /* of "RUNTIME exec"; NULL: a container's own shim */
};

enum { CLIENTS_MAX = 32 };

struct output {
	struct lines lines;
	int fd;                     /* our end; -1: ended */
	struct loop_source *source;
	struct shim *shim;
};

/* Our end of the container's stdin. */
struct input {
	int fd;                     /* -1: none, or closed */
	struct buf pending;         /* not taken yet */
	struct loop_source *source;
	bool ending;                /* closed once `pending` is written */
};

/* A connection to shim.sock; with `attached`, a client's that lives even when this has ended. */
struct client {
	struct shim *shim;
	bool used;
	int fd;                     /* -1: the engine is gone */
	struct loop_source *source;
	struct attached *attached;
};

struct shim {
	const struct options *options;
	struct loop *loop;
	struct logfile *log;
	int dir;                    /* fd of options->dir */
	int listener;
	struct loop_source *connects;
	int cgroup;                 /* fd of the container's cgroup directory, or -1 */
	pid_t pid;                  /* of the container's first process */
	int status;                 /* as waitpid gave it */
	struct output outputs[2];   /* stdout and stderr; with a terminal only the first */
	bool paused;                /* they are not read at present */
	bool finishing;             /* the container is over */
	bool late;                  /* its time limit killed it */
	bool awaiting_client;
	struct input input;
	struct client clients[CLIENTS_MAX];
};

/* create.c: mounts the root, runs "RUNTIME create". Fills pid, cgroup, outputs. 0 or -errno. */
int shim_create(struct shim *s, struct err *e);
/* Runs "RUNTIME delete --force". */
void shim_delete(struct shim *s);

/* exec.c: argv for the runtime (free it; NULL: out of memory); the wait for the first client; the
 * clock of the time limit. */
const char **exec_argv(const struct options *o, const char *pid_file, const char *console);
int exec_await_client(struct shim *s, struct err *e);
int exec_limit_time(struct shim *s, struct err *e);

/* console.c: a socket that the runtime sends the terminal's master to. */
int console_listen(const char *path, struct err *e);
int console_receive(int listener, struct err *e);

/* watch.c: copies output until the container has ended. 0 or -errno. */
int shim_watch(struct shim *s, struct err *e);
void shim_pause_output(struct shim *s, bool pause);

/* control.c: answers on shim.sock. */
int shim_listen(struct shim *s, struct err *e); /* 0 or -errno */
int shim_answer(struct shim *s, struct err *e); /* once the loop is there to run */
void client_drop(struct client *c);
void shim_let_go(struct shim *s); /* all that watch only, and nobody new */

/* stdin.c: clients' input to the container. */
void stdin_write(struct shim *s, const char *data, size_t len);
void stdin_close(struct shim *s); /* after what is pending */

/* record.c: writes the file "exit". 0 or -errno. */
int shim_record(struct shim *s, struct err *e);
