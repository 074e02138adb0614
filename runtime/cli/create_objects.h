/* Options whose value is an object in the API: --device, --ulimit, --mount, --device-*-bps. */
#pragma once

#include <yyjson.h>

#include "base/err.h"
#include "cli/create_body.h"

int create_add_objects(yyjson_mut_doc *doc, yyjson_mut_val *host, const struct create_options *o,
		       struct err *e);
