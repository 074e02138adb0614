/* What most commands do with the engine's JSON. */
#pragma once

#include <yyjson.h>

static inline void cleanup_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

#define autodoc __attribute__((cleanup(cleanup_doc)))

/* "" where there is no text. */
static inline const char *text_of(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));

	return text ? text : "";
}
