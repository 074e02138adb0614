/* The jailed process that reads a stranger's archive, and tells what is in it as records
 * (wire.h). */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "unpack/wire.h"

struct reader {
	pid_t pid;
	int fd;
	struct wire *from;
};

/* It reads the archive from `in` (plain, gzip or zstd; a pipe is fine), to its end. Ids, modes and
 * paths are as in the archive. 0 or -errno. */
int reader_start(struct reader *r, int in, struct err *e);
void reader_end(struct reader *r);
