/* The names of an image as docker's clients see them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "image/ref.h"
#include "image/store.h"

/* "NAME@DIGEST" of the image's ith name: of the index that it was picked from, if it is known under
 * that, else of its manifest. False: no name, or an earlier one has said it. */
bool image_repo_digest(const struct image *image, size_t i, char text[REF_TEXT_MAX]);
