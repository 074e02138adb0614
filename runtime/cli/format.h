/* Rows of a list as docker's --format prints them. */
#pragma once

#include <stddef.h>
#include <yyjson.h>

#include "base/err.h"

struct format_field {
	const char *name, *heading; /* "RunningFor", "CREATED" */
};

/* `rows`: a list of objects, texts by field. `format`: "json", "table TEMPLATE" or a template. */
int format_print(const char *format, const struct format_field *fields, size_t count,
		 yyjson_val *rows, struct err *e);

/* One row, and a newline. */
int format_line(const char *format, yyjson_val *row, struct err *e);
