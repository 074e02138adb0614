/* Pieces of requests that several commands make. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"

/* "key=value" each, as "&filters=" and docker's JSON, encoded. 0 or -EINVAL. */
int query_filters(struct buf *out, const struct cli_list *list, struct err *e);

/* "&NAME=" and the time: "10m" is so long ago, anything else goes on as it is. */
void query_time(struct buf *out, const char *name, const char *text);
