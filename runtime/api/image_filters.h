/* docker's `filters` of images and of their prune. Values of one key are alternatives, except
 * labels, which must all be there; keys add up. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "engine/engine.h"
#include "yyjson.h"

struct image_filters;

/* `json` NULL or "": none. -EINVAL: damaged, or a key that is not known. */
int image_filters_parse(struct image_filters **out, const char *json, struct engine *en,
			struct err *e);
void image_filters_free(struct image_filters *f); /* NULL is fine */

/* `config` is the image's, NULL if it cannot be read. */
bool image_filters_match(const struct image_filters *f, const struct image *image,
			 yyjson_val *config);

/* Of an image that matches: is this one of the names that "reference" asked for? */
bool image_filters_match_name(const struct image_filters *f, const char *full);

/* "dangling": 1 or 0 as it was asked for, -1: not said. */
int image_filters_dangling(const struct image_filters *f);

int64_t image_created(yyjson_val *config);    /* Unix time */
bool image_has_tag(const struct image *image);
