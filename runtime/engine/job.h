/* A wish that takes time and is a process of its own (runtime/unpack, "store"): pulls, archives.
 * The engine hands it what comes, reads what it says, and never waits for it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct container;
struct engine;
struct job;

struct job_fns {
	/* There is something to read (job_read), or the output has ended. */
	void (*output)(void *arg);
	/* Its input takes more (after job_write gave less). */
	void (*input)(void *arg);
	/* It has ended; output may still hold something. 0, or -errno and its sentence. Not called
	 * after job_free. */
	void (*ended)(void *arg, int rc, const struct err *e);
	void *arg;
};

struct job_wish {
	const char *command;          /* "pull" ... */
	const char *const *arguments; /* options before words; NULL-terminated */
	const char *input;            /* all of its standard input; NULL: none, or job_write */
	size_t input_len;
	bool streamed;                /* its input comes by job_write */
	const char *told;             /* more of it, on its fd 4; NULL: nothing */
	size_t told_len;
	int process;                  /* a pidfd that it gets as fd 5; 0 or -1: none */
	bool bystander;               /* brings nothing into the image store: collecting need not wait */
	struct container *writes;     /* it changes the files of this one, whose start waits; or NULL */
};

int job_start(struct engine *en, const struct job_wish *wish, const struct job_fns *fns,
	      struct job **out, struct err *e);

/* Kills it if it still runs. NULL is fine. */
void job_free(struct job *j);

/* Appends at most `max` bytes of its output. 1: there may be more; 0: the end; -EAGAIN: later. */
int job_read(struct job *j, struct buf *out, size_t max);

/* How much of `data` was taken, 0: nothing now (`input` will be called), or -errno. */
ssize_t job_write(struct job *j, const void *data, size_t len);
void job_close_input(struct job *j);

/* What it said of its result ("image DIGEST ..."): complete once it has ended. */
const char *job_result(const struct job *j);
