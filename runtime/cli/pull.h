/* What run and create share with pull. */
#pragma once

#include <stdio.h>

#include "base/err.h"

/* Pulls the image and shows how on `to` (NULL: nowhere). `platform` may be NULL. 0 or -errno. */
int pull_image(const char *image, const char *platform, FILE *to, struct err *e);
