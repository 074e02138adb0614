/* Where a bundle comes from: a file, standard input, or a web server, and there as little of it as
 * is needed. One after the other: source_open, the caller's look at the manifest, source_begin,
 * source_chunk for each chunk, source_end, source_close. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "update/delta.h"
#include "download/fetch.h"
#include "update/manifest.h"
#include "update/signature.h"
#include "update/slots.h"

struct source {
	char url[URL_BYTES_MAX]; /* empty: a file or a stream */
	const struct fetch_way *way;
	const struct keyring *keys;
	struct manifest manifest;
	char comment[SIGNATURE_COMMENT_MAX];
	uint64_t payload_offset; /* in the server's file, when it sends parts */
	int fd;                  /* of the chunks, one behind the other */
	char *stored;
	struct fetch fetch;
	bool fetching;
	struct delta *delta;
};

/* `from`: a path, a disk's too, "-", or an address. The manifest's signature was checked when it
 * returns 0. source_close in any case. */
int source_open(struct source *s, const char *from, const struct fetch_way *way,
		const struct keyring *keys, struct err *e);

/* Only what the running slot lacks, unless `whole` or the server sends no parts. */
int source_begin(struct source *s, const struct slots *slots, bool whole, struct err *e);

/* install_chunk_fn. */
int source_chunk(void *source, const struct image *image, uint32_t i, void *out, struct err *e);

/* How the download ended, and how much of it there was: 0, or -errno. */
int source_end(struct source *s, uint64_t *fetched, uint64_t *whole, struct err *e);
void source_close(struct source *s);

bool source_is_address(const char *from);
