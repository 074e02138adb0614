/* The configuration in force as a person reads it: YAML with the source of each value beside it.
 * Pure. */
#pragma once

#include <yyjson.h>

#include "base/buf.h"

struct config_show {
	yyjson_val *config;  /* /run/berth/config.json (init/bootcfg/README.md), secrets hidden */
	yyjson_val *origins; /* its "origins", which have no secrets to hide */
};

/* Adds it as text. 0, or -ENOMEM. */
int config_show_text(const struct config_show *c, struct buf *out);

/* The same as JSON: the configuration, and "sources" in place of "origins":
 * {"containers.web.image": "user-data:12"}. */
int config_show_json(const struct config_show *c, struct buf *out);
