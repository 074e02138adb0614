/* The documents of an image that is made here: by commit, import, load, or save of layers whose
 * archives are not kept. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "image/ref.h"

struct compose_layer {
	const char *type;    /* media type, docker's or OCI's */
	char digest[REF_DIGEST_MAX], diff_id[REF_DIGEST_MAX];
	uint64_t bytes;      /* of the archive */
};

/* "tar", "tar+gzip", "tar+zstd": OCI's type of an archive by its first bytes. */
const char *compose_type(int fd);

#define COMPOSE_MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

/* `layers` bottom first. 0 or -ENOMEM. */
int compose_manifest(const char *config, size_t config_len, const struct compose_layer *layers,
		     size_t count, struct buf *out, struct err *e);

struct compose_config {
	const char *parent;          /* the config that it is made from; NULL: none */
	size_t parent_len;
	const char *platform;        /* "linux/amd64", without a parent */
	const char *config;          /* JSON object, how containers of it run; NULL: the parent's */
	const char *author, *comment, *created, *created_by; /* of a step more in its history ... */
	const char *diff_id;         /* ... and its layer; NULL: the step has none */
	const struct compose_layer *layers; /* or: the same image, of these layers */
	size_t layer_count;
};

/* The parent is read in a jail: it came from a registry. 0 or -errno. */
int compose_config(const struct compose_config *c, struct buf *out, struct err *e);
