/* What a service says on stdout and stderr: a pipe, read by the loop, into a bounded log file.
 * The pipe outlives the service's process, so that a restart loses no line.
 *
 * A flood slows the service and never PID 1: per turn of the loop a few kB are read, per quarter of
 * a second a bounded sum; then the pipe is left full until the quarter is over. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "pid1/lines.h"
#include "pid1/logfile.h"

struct svclog {
	struct loop *loop;
	const char *name; /* not owned */
	int pipe[2];
	struct loop_source *source, *pause;
	struct logfile file;
	struct lines lines;
	int64_t window_ms;     /* when the present quarter of a second began */
	int window_bytes;      /* read in it */
	int64_t loud_ms;       /* the same for lines on the console */
	int loud_lines;
};

/* `dir`: where NAME.log goes; not owned. */
int svclog_open(struct svclog *g, struct loop *loop, int dir, const char *name, struct err *e);

/* The end that the service writes to. */
int svclog_fd(const struct svclog *g);

/* Reads what is in the pipe now (bounded by the pipe's size); after a service's end. */
void svclog_drain(struct svclog *g);
