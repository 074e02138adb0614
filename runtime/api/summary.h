/* What the lists and `system df` both show of a container, an image, a volume. */
#pragma once

#include "api/sizes.h"
#include "base/buf.h"

struct volume;

/* `sizes` NULL: not asked for. */
void container_summary(struct buf *b, const struct container *c, const struct sizes *sizes);

/* With what it shares with others. */
void image_summary(struct request *r, struct buf *b, const struct image *image);

void volume_summary(struct buf *b, const struct engine *en, const struct volume *v,
		    const struct sizes *sizes);
