/* Where an image to be embedded comes from: an OCI image layout (a directory, or a tar of one,
 * compressed or not) or a docker-save archive of the old or the new kind. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "image/manifest.h"

struct source;

/* One image, found and checked down to its layers' names. */
struct source_image {
	char *manifest;            /* JSON; NULL for an old docker-save archive, which has none */
	size_t manifest_len;
	char manifest_type[128];   /* its media type */
	char manifest_digest[REF_DIGEST_MAX]; /* "" without a manifest */
	char *config;              /* JSON, digest checked */
	size_t config_len;
	char config_digest[REF_DIGEST_MAX];
	struct diff_ids diff_ids;
	struct descriptor *layers; /* bottom first, diff_ids.count of them; from an old docker-save
	                              archive without digests */
	char **layer_paths;        /* within the source */
};

/* `scratch` is a directory fd under which an archive is unpacked ("source", removed on close). */
int source_open(struct source **out, const char *path, int scratch, struct err *e);
void source_close(struct source *s); /* NULL is fine */

/* Picks the image for the reference and platform: by name or tag if the source holds several. */
int source_find(struct source *s, const struct ref *ref, const char *platform,
		struct source_image *out, struct err *e);
void source_image_free(struct source_image *image);

/* Opens a layer's blob. Its size is checked against the manifest. Returns an fd or -errno. */
int source_layer(struct source *s, const struct source_image *image, size_t i, struct err *e);
