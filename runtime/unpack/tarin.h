/* A tar as it comes, plain or gzip or zstd, entry by entry, once from its start to its end. What it
 * gives is checked (entry.h); `fd` may be a pipe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "unpack/entry.h"
#include "unpack/layer.h"
#include "unpack/stream.h"

struct archive;

struct tarin {
	struct stream *stream;
	struct archive *archive;
	struct err *e;       /* not NULL */
	bool layer;          /* an image's: names that begin with ".wh." hide what is below */
	bool told;           /* e says already why reading failed */
	uint64_t tar_bytes;  /* given to libarchive so far */
	uint64_t entries;
};

/* Reads from fd's position; at most `max_bytes` unpacked. 0 or -errno. */
int tarin_open(struct tarin *t, int fd, uint64_t max_bytes);
void tarin_close(struct tarin *t);

/* 1: an entry; 0: the end; -errno: the sentence names the entry. */
int tarin_next(struct tarin *t, struct entry *entry);

/* The file's data, holes as zeros, to the sink. 0 or -errno. */
int tarin_data(struct tarin *t, const struct entry *entry, const struct sink *sink);

/* All of it to the sink, and to the end of what follows the tar. 0 or -errno. */
int tarin_all(int fd, uint64_t max_bytes, const struct sink *sink, struct err *e);
