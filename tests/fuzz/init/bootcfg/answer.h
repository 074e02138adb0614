/* What the configuration's parser says about some bytes, in this process: the jail would only hide
 * a crash. */
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "bootcfg/config.h"

/* NULL: there is not enough memory. Whatever comes in, what goes out is JSON. */
static inline yyjson_doc *answer_of(const uint8_t *data, size_t size, const struct type *schema)
{
	autobuf struct buf text = { 0 }, answer = { 0 };
	struct config_text in = { .schema = schema, .file = "fuzz", .len = size };
	yyjson_doc *doc;

	buf_add(&text, data, size);
	in.text = buf_text(&text);
	if (!buf_ok(&text) || config_read(&in, &answer, NULL) < 0)
		return NULL;
	doc = yyjson_read(buf_text(&answer), answer.len, 0);
	if (!doc)
		abort();
	return doc;
}
