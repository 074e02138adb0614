/* Less to download: what the running version has already is copied from its slot.
 *
 * The new root's hash tree is fetched first. A block whose hash is also in the running root's tree
 * is copied; it is hashed again on the way. A chunk of the boot image that is stored as it is and
 * whose digest is that of the running slot's bytes at the same place is copied, too. The rest are
 * parts of the bundle's file on an ordinary web server. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "download/fetch.h"
#include "update/manifest.h"

struct delta;

struct delta_source {
	const char *url;              /* of the bundle */
	const struct fetch_way *way;
	const struct manifest *manifest;
	uint64_t payload_offset;      /* bundle_payload_offset() */
	const char *boot, *root;      /* the running slot's devices */
	struct verity running;        /* the running root's tree */
};

/* The running root's tree, from its device-mapper table, as it is on the kernel's command line. */
int delta_running_tree(const char *cmdline, struct verity *out);

/* Fetches the tree, decides what to copy, and starts to fetch the rest. */
int delta_open(const struct delta_source *source, struct delta **out, struct err *e);

/* install_chunk_fn. */
int delta_chunk(void *delta, const struct image *image, uint32_t i, void *out, struct err *e);

/* 0 when all came; the bytes that were fetched and those of the whole payload. */
int delta_close(struct delta *d, uint64_t *fetched, uint64_t *whole, struct err *e);
