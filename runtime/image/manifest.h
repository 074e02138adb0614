/* The JSON of images: OCI image index and manifest (image-spec 1.1), Docker manifest list and
 * schema 2, and what the store needs of an image config (its diff ids). Everything here comes from
 * outside: sizes and counts are bounded, digests are checked for form, nothing is trusted. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/ref.h"

enum {
	MANIFEST_MAX_BYTES = 4 * 1024 * 1024, /* the registries' limit for one manifest */
	CONFIG_MAX_BYTES = 8 * 1024 * 1024,
	MANIFEST_LAYERS_MAX = 499,            /* overlayfs stacks no more */
	INDEX_ENTRIES_MAX = 4096,
};

enum media_kind {
	MEDIA_UNKNOWN,
	MEDIA_INDEX,
	MEDIA_MANIFEST,
	MEDIA_CONFIG,
	MEDIA_LAYER,         /* a tar, compressed or not: the bytes say how */
	MEDIA_LAYER_FOREIGN, /* must be fetched from somewhere else: refused */
};

enum media_kind media_kind(const char *media_type);

struct descriptor {
	char media_type[128];
	enum media_kind kind;
	char digest[REF_DIGEST_MAX];
	uint64_t size_bytes;
	/* Index entries only; "" or NULL when absent. */
	char os[32], architecture[32], variant[32];
	char *ref_name;      /* annotation org.opencontainers.image.ref.name */
	char *image_name;    /* annotation io.containerd.image.name: the full name, from docker */
	char *layer_sizes;   /* annotation berth.layer-sizes, ours: unpacked bytes, bottom first */
};

struct index {
	struct descriptor *entries;
	size_t count;
};

struct manifest {
	char media_type[128];        /* as the document says it; "" if it does not */
	struct descriptor config;
	struct descriptor *layers;   /* bottom first */
	size_t layer_count;
};

struct diff_ids {
	char (*ids)[REF_DIGEST_MAX]; /* bottom first */
	size_t count;
};

/* 0 or -EINVAL with a sentence: what was found and what was expected, no prefix. */
int index_parse(struct index *out, const char *text, size_t len, struct err *e);
int manifest_parse(struct manifest *out, const char *text, size_t len, struct err *e);
int diff_ids_parse(struct diff_ids *out, const char *config, size_t len, struct err *e);

/* MEDIA_INDEX or MEDIA_MANIFEST by what the document holds: OCI lets it leave its type out. */
enum media_kind document_kind(const char *text, size_t len);

void index_free(struct index *i);
void manifest_free(struct manifest *m);
void diff_ids_free(struct diff_ids *d);

/* "linux/amd64", "linux/arm64/v8". The entry for the platform, or NULL. An entry that names no
 * platform fits if it is the only manifest. */
const struct descriptor *index_pick(const struct index *i, const char *platform);
