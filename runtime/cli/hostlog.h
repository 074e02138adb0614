/* The machine's own logs: what PID 1 keeps of each service (init/pid1/svclog.h), one file a service
 * and an older one beside it, and the kernel's (/dev/kmsg; Documentation/ABI/testing/dev-kmsg). */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

/* Where the files NAME.log and NAME.log.1 are; another one in tests. */
extern const char *hostlog_dir;

struct hostlog_options {
	const char *name; /* a service's, or "kernel"; NULL: all of them, in the order of time */
	long tail;        /* so many lines from the end; negative: all */
	const char *since, *until; /* hostlog_time's, or "": only what was written between them */
	bool follow;      /* goes on until the reader is gone */
	FILE *to;
};

bool hostlog_exists(const char *name);

/* 0 or -errno; -ESRCH when no service has that name. */
int hostlog_show(const struct hostlog_options *o, struct err *e);

/* A time as the lines have it, in UTC, whole or only its beginning: "10m" is so long ago; a number
 * is seconds since 1970; "2026-11-24T20:15:00Z" or its beginning is itself. 0 or -EINVAL. */
enum { HOSTLOG_TIME_MAX = 24 };
int hostlog_time(const char *text, char out[HOSTLOG_TIME_MAX], struct err *e);

/* A record of /dev/kmsg as a line: "2026-11-24T20:15:00.123Z TEXT", without its end. `booted_ns` is
 * the time of day at which the machine's clock stood at 0. False for what is no record. */
bool hostlog_kernel_line(const char *record, long long booted_ns, struct buf *out);
