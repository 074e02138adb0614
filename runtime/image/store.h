/* The container image store, read side: several stores looked at as one, the embedded one first.
 * Layout of each (README.md has the reasons):
 *   index.json          OCI image index; each manifest annotated with its full reference
 *   blobs/sha256/HEX    manifests and image configs (no layer blobs)
 *   layers/HEX/         HEX = diff id: the unpacked layer, with overlayfs whiteouts
 * A damaged image costs only itself: it is listed with its `fault` and refused when used. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/ref.h"

struct store;

struct image_layer {
	char diff_id[REF_DIGEST_MAX];
	uint64_t size_bytes;           /* of the unpacked files; 0: not known */
};

struct image {
	char id[REF_DIGEST_MAX];       /* digest of the config: what docker calls the image's ID */
	char digest[REF_DIGEST_MAX];   /* digest of the manifest */
	char **refs;                   /* full references that name it, sorted */
	size_t ref_count;
	struct image_layer *layers;    /* bottom first, as in the config */
	size_t layer_count;
	uint64_t size_bytes;           /* sum of the layers */
	char *fault;                   /* NULL, or the sentence that says why it cannot be used */
	int store;                     /* which of the stores holds its blobs */
};

/* Reads the indexes under `dirs` (paths; one that does not exist is an empty store) and checks
 * manifests and configs against their digests. Where two stores use one reference the first wins.
 * 0 or -errno: an index that is there and cannot be read. */
int store_open(struct store **out, const char *const *dirs, size_t dir_count, struct err *e);
void store_close(struct store *s); /* NULL is fine */

size_t store_count(const struct store *s);
const struct image *store_image(const struct store *s, size_t i); /* sorted by first reference */

/* By reference in any form docker takes, by "sha256:ID", or by the beginning of an ID in hex.
 * The image is the store's. -ENOENT: "No such image: NAME"; -EINVAL: the text is no reference or
 * the ID is ambiguous; -EBADMSG: the image is damaged, with its fault. */
int store_find(const struct store *s, const char *name, const struct image **out, struct err *e);

/* The texts of the image's config and manifest, NUL-terminated, for the caller to free. */
int image_config(const struct store *s, const struct image *image, char **text, size_t *len,
		 struct err *e);
int image_manifest(const struct store *s, const struct image *image, char **text, size_t *len,
		   struct err *e);

/* The absolute directory of layer `i` (0 = bottom), in whichever store has it; free it.
 * -ENOENT when no store has it any more. */
int image_layer_dir(const struct store *s, const struct image *image, size_t i, char **dir,
		    struct err *e);
