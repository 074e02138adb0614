/* Whole blocks of a partition, past the page cache: what is read back was on the disk, and an
 * update does not push containers' pages out of memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { DEVICE_BLOCK_BYTES = 4096 };

/* Opens for reading and writing. Returns an fd or -errno. */
int device_open(const char *path, struct err *e);

int device_size(int fd, uint64_t *bytes, struct err *e);

/* Memory for them: aligned, to be freed with free(). NULL: none left. */
void *device_buffer(size_t bytes);

/* `data` from device_buffer(), `offset` and `len` multiples of DEVICE_BLOCK_BYTES. 0 or -errno. */
int device_read(int fd, void *data, size_t len, uint64_t offset);
int device_write(int fd, const void *data, size_t len, uint64_t offset);
int device_flush(int fd);

/* Reads ahead, for a reader of single blocks that mostly goes forward. */
struct device_reader {
	int fd;
	uint64_t bytes; /* the reader's end */
	char *held;     /* from device_buffer(DEVICE_AHEAD_BYTES) */
	uint64_t at;
	size_t len;
};

enum { DEVICE_AHEAD_BYTES = 256 * 1024 };

/* Block number `block`; verity_read_fn. */
int device_read_block(void *reader, uint64_t block, void *data);
