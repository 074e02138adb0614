/* docker's `--change` of commit and import: one instruction of a Dockerfile, into the "config"
 * of an image. Pure. */
#pragma once

#include "base/err.h"
#include "yyjson.h"

/* "CMD [\"sh\"]", "ENV A=b": changes `config`, an object of `doc`. -EINVAL with docker's
 * sentence. */
int instruction_apply(yyjson_mut_doc *doc, yyjson_mut_val *config, const char *line, struct err *e);
