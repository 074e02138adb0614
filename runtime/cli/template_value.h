/* Values of a template: JSON, in a document that lives as long as the run. NULL is "no value". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"

struct values {
	yyjson_mut_doc *doc;
};

enum { VALUE_ARGS_MOST = 12 };

struct value_function;

/* NULL: none of this name. */
const struct value_function *value_function(const char *name, size_t len);
int value_call(const struct value_function *f, struct values *v, yyjson_mut_val **args,
	       size_t count, yyjson_mut_val **out, struct err *why);

yyjson_mut_val *value_text(struct values *v, const char *text, size_t len);
bool value_is_true(yyjson_mut_val *value); /* Go's: not empty, zero or false */
void value_print(struct buf *out, yyjson_mut_val *value);
