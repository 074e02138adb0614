/* docker's `filters` parameter for containers: {"name":["web"],"status":{"running":true}} (lists
 * since API 1.22, maps from older clients). Values of one key are alternatives, keys add up. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "engine/container.h"

struct filters;

/* `json` NULL or "": no filters, `*out` NULL. -EINVAL: damaged, or a key that is not known. */
int filters_parse(struct filters **out, const char *json, struct err *e);
/* The same without one key, which is somebody else's. */
int filters_parse_without(struct filters **out, const char *json, const char *key, struct err *e);
void filters_free(struct filters *f);
bool filters_have(const struct filters *f, const char *key);
bool filters_match(const struct filters *f, const struct container *c);
