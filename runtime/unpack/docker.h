/* manifest.json of a docker-save archive (moby, image/tarexport): a list of
 * {"Config": file, "RepoTags": [names], "Layers": [files, bottom first]}. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "image/ref.h"

struct docker_image {
	char *config;
	char **layers;
	size_t layer_count;
};

/* The image named `ref`, or the only one. 0 or -errno. */
int docker_parse(struct docker_image *out, const char *text, size_t len, const struct ref *ref,
		 struct err *e);
void docker_free(struct docker_image *image);
