/* container.json: the container as it is on disk. Replaced atomically; a reader finds the old or
 * the new one. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "engine/container.h"

enum { SAVED_MAX_BYTES = 4 << 20 };

int saved_write(const struct container *c, struct buf *out, struct err *e);

/* Fills a new container. -EINVAL: no container.json of ours. */
int saved_read(struct container *c, const char *text, size_t len, struct err *e);

void endpoint_clear(struct endpoint *ep); /* frees what it owns */
