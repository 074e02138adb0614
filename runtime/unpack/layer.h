/* Unpacks one layer archive (tar, plain or gzip or zstd) into a sink, after every entry of it and
 * both digests have been checked: a sink sees nothing of a layer that is not wholly good, but for
 * one that changes while it is read, which is an error at the end. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "unpack/entry.h"
#include "unpack/stream.h"
#include "unpack/tree.h"

enum {
	LAYER_ENTRIES_MAX = 4 * 1000 * 1000,
};
#define LAYER_BYTES_MAX (64ULL << 30)

/* Where entries go. Each path comes once, its last version; directories that the layer only
 * implies come as directories; whiteouts come as ENTRY_CHAR 0:0 and opaque directories carry
 * trusted.overlay.opaque. A file's data follows its entry, `size_bytes` of it in all. */
struct sink {
	int (*entry)(void *ctx, const struct entry *entry, struct err *e);
	int (*data)(void *ctx, const void *data, size_t len, struct err *e);
	void *ctx;
};

struct layer {
	int fd;                  /* the blob, seekable, read from its start */
	const char *digest;      /* what the blob's digest must be; NULL: not known */
	const char *diff_id;     /* what the unpacked tar's must be; NULL: not known */
	struct tree *tree;       /* the image so far; afterwards with this layer */
	int number;              /* 0 = bottom */
	const struct sink *sink; /* NULL: only check it and take it into the tree */
};

struct layer_result {
	struct stream_sums sums;
	uint64_t files_bytes;    /* sum of the files' sizes */
	size_t entries;
};

/* 0 or -errno; the sentence names the entry, not the layer. */
int layer_unpack(const struct layer *layer, struct layer_result *out, struct err *e);
