/* Filters of lists whose things are matched value by value: volumes, networks. As docker sends
 * them: {"label": ["a=b"]}, or {"label": {"a=b": true}} from older clients. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/request.h"
#include "yyjson.h"

typedef bool thing_match_fn(const void *thing, const char *key, const char *value);

/* What the request asks for; {} when nothing. NULL with the answer given: damaged, or a key that is
 * none of `keys`. To be freed with yyjson_doc_free. */
yyjson_doc *thing_filters(struct request *r, const char *const *keys, size_t count);

/* Of "label" and "label!" all values must fit, of any other key one. */
bool thing_fits(const void *thing, yyjson_val *filters, thing_match_fn *matches);

bool filter_is_true(const char *text); /* "true", "1" */
