/* What is in an archive of images, by its own lists; read in a jail. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "image/ref.h"

/* One image. Of an OCI layout its manifest is named, of a docker-save archive its files. */
struct load_image {
	char manifest[REF_DIGEST_MAX]; /* "": see the files */
	char *config;                  /* paths in the archive */
	char **layers;                 /* bottom first */
	size_t layer_count;
	char **names;                  /* as they stand there */
	size_t name_count;
};

struct load_plan {
	struct load_image *images;
	size_t count;
};

/* `root` is the unpacked archive. `platform` picks from an index of one image for several. 0, or
 * -errno with a sentence. */
int loadplan_read(int root, const char *platform, struct load_plan *out, struct err *e);

/* The same by "index.json" alone. */
int loadplan_read_index(int root, const char *platform, struct load_plan *out, struct err *e);

/* What the jail makes of one list ("manifest.json" when `docker`, else an index; `top`: each of its
 * entries is an image), as lines of text; and those lines taken. For tests. */
int loadplan_lines(const char *text, size_t len, const char *platform, bool docker, bool top,
		   struct buf *out, struct err *e);
void loadplan_free(struct load_plan *plan);
