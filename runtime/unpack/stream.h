/* A layer blob as a stream of uncompressed bytes: gzip, zstd or plain, told by its first bytes.
 * Both digests are made on the way: of the blob as it lies there, of the tar inside (diff id). */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "image/ref.h"

struct stream;

struct stream_sums {
	char blob[REF_DIGEST_MAX];    /* "sha256:HEX" of the blob */
	char diff_id[REF_DIGEST_MAX]; /* ... of what it unpacks to */
	uint64_t blob_bytes, unpacked_bytes;
};

/* `fd` stays the caller's and is read from its current position. `max_bytes` bounds what may come
 * out (a zip bomb is an error, not a full disk). 0 or -errno. */
int stream_open(struct stream **out, int fd, uint64_t max_bytes, struct err *e);
void stream_close(struct stream *s); /* NULL is fine */

/* For a second reading, called before the first stream_read: only the diff id is made, which is
 * enough to see whether it was the same. The blob's sum is "". */
void stream_again(struct stream *s);

/* The next piece, valid until the next call. Its length, 0 at the end, or -errno. */
ssize_t stream_read(struct stream *s, const void **data, struct err *e);

/* Reads what is left (a tar may end before its blob does) and gives the sums. 0 or -errno. */
int stream_finish(struct stream *s, struct stream_sums *out, struct err *e);

/* Digest of a whole file from its start, as it lies there. 0 or -errno. */
int stream_blob_digest(int fd, char out[REF_DIGEST_MAX]);
