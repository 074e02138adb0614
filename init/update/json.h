/* Texts in JSON objects, as this folder's files have them. */
#pragma once

#include <stddef.h>

#include <yyjson.h>

#include "base/buf.h"

/* The text at `key`, or `otherwise` where there is none; it lives as long as the document. */
const char *json_text(yyjson_val *from, const char *key, const char *otherwise);

/* The same as a copy, cut to the room; empty where there is none. */
void json_copy_text(yyjson_val *from, const char *key, char *out, size_t room);

/* "KEY":"VALUE", with the comma behind it. */
void json_add_text(struct buf *out, const char *key, const char *value);
