/* A registry's search results, as docker's API gives them on. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* {"results": [{"name", "description", "star_count", "is_official", "is_automated"}]}: the list,
 * with these members only. 0 or -EBADMSG. */
int search_results(const char *json, size_t len, struct buf *out, struct err *e);
