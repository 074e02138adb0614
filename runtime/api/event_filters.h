/* docker's `filters` for events: {"event":["die"],"container":["web"]}. Values of one key are
 * alternatives (of labels, all must be there), keys add up. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "engine/events.h"
#include "yyjson.h"

/* 0: `*out` (NULL: no filters) is to be freed by yyjson_doc_free. -EINVAL with docker's words. */
int event_filters_parse(yyjson_doc **out, const char *json, struct err *e);
bool event_filters_match(yyjson_doc *filters, const struct event *ev);
