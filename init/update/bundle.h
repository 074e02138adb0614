/* A bundle: one file, or a stream of it.
 *
 *     32 bytes         head: magic, sizes of the two texts that follow
 *     manifest         JSON (manifest.h), as its signer saw it
 *     signature        of the manifest, in minisign's format (signature.h)
 *     zeros            up to a multiple of 4096
 *     chunks           of the boot image, then of the root image
 *
 * Read in order and once, so that it can be streamed. Nothing but head and signature is looked at
 * before the signature was checked, no chunk is unpacked before its digest was. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "update/manifest.h"
#include "update/signature.h"

enum {
	BUNDLE_HEAD_BYTES = 32,
	BUNDLE_ALIGN = 4096,
};

struct bundle_head {
	uint32_t manifest_bytes, signature_bytes;
};

/* From the first BUNDLE_HEAD_BYTES. */
int bundle_head_parse(const void *bytes, struct bundle_head *out, struct err *e);

/* Where the chunks begin in the file. */
uint64_t bundle_payload_offset(const struct bundle_head *h);

/* The two texts, in memory: the signature's check, then the manifest. `comment` is the trusted
 * one, or NULL. */
int bundle_open_texts(const void *manifest, size_t manifest_len, const void *signature,
		      size_t signature_len, const struct keyring *keys, struct manifest *out,
		      char comment[SIGNATURE_COMMENT_MAX], struct err *e);

/* Reads head, manifest, signature and the zeros from a stream; it then stands at the chunks.
 * The caller frees `out`. */
int bundle_read_start(int fd, const struct keyring *keys, struct manifest *out,
		      char comment[SIGNATURE_COMMENT_MAX], struct err *e);

/* Reads the stream's next chunk, number `i` of `image`, checks it, and unpacks it (in a jail) into
 * `out`, image_chunk_bytes() bytes. `stored` is room for CHUNK_BYTES. */
int bundle_read_chunk(int fd, const struct image *image, uint32_t i, void *stored, void *out,
		      struct err *e);

/* As above for stored bytes that are there already. */
int bundle_unpack_chunk(const struct image *image, uint32_t i, const void *stored, void *out,
			struct err *e);

/* All of `len`, or -ENODATA at an early end. */
int bundle_read_exactly(int fd, void *data, size_t len, struct err *e);
