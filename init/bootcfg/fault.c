#include "bootcfg/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void faults_free(struct faults *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].file);
		free(f->items[i].path);
		free(f->items[i].message);
	}
	free(f->items);
	*f = (struct faults){ 0 };
}

/* A fault that does not fit into memory still counts. */
static void append(struct faults *f, const struct fault *fault)
{
	struct fault *bigger;
	struct fault copy = *fault;

	if (fault->level == FAULT_ERROR)
		f->errors++;
	else
		f->warnings++;
	if (f->count == FAULTS_MAX)
		return;
	bigger = realloc(f->items, (f->count + 1) * sizeof(*bigger));
	if (!bigger)
		return;
	f->items = bigger;
	copy.file = strdup(fault->file);
	copy.path = strdup(fault->path);
	copy.message = strdup(fault->message);
	if (copy.file && copy.path && copy.message) {
		f->items[f->count++] = copy;
		return;
	}
	free(copy.file);
	free(copy.path);
	free(copy.message);
}

void fault_add(struct faults *f, enum fault_level level, const char *file, unsigned line,
	       unsigned column, const char *path, const char *fmt, ...)
{
	char message[2 * ERR_TEXT_MAX];
	struct fault fault = { level, (char *)file, (char *)path, message, line, column };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	append(f, &fault);
}

void fault_line(const struct fault *f, struct buf *out)
{
	if (f->line)
		buf_addf(out, "%s:%u:%u: ", f->file, f->line, f->column);
	else if (f->file[0])
		buf_addf(out, "%s: ", f->file);
	if (f->level == FAULT_WARNING)
		buf_adds(out, "warning: ");
	if (f->path[0])
		buf_addf(out, "%s: ", f->path);
	buf_adds(out, f->message);
}

static const char *level_name(enum fault_level level)
{
	return level == FAULT_ERROR ? "error" : "warning";
}

yyjson_mut_val *faults_to_json(const struct faults *f, yyjson_mut_doc *doc)
{
	yyjson_mut_val *array = yyjson_mut_arr(doc);

	for (size_t i = 0; i < f->count; i++) {
		const struct fault *fault = &f->items[i];
		yyjson_mut_val *o = yyjson_mut_arr_add_obj(doc, array);

		yyjson_mut_obj_add_str(doc, o, "level", level_name(fault->level));
		yyjson_mut_obj_add_strcpy(doc, o, "file", fault->file);
		yyjson_mut_obj_add_uint(doc, o, "line", fault->line);
		yyjson_mut_obj_add_uint(doc, o, "column", fault->column);
		yyjson_mut_obj_add_strcpy(doc, o, "path", fault->path);
		yyjson_mut_obj_add_strcpy(doc, o, "message", fault->message);
	}
	return array;
}

static const char *text_of(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));

	return text ? text : "";
}

void faults_from_json(struct faults *f, yyjson_val *array)
{
	yyjson_val *o;
	size_t i, max;

	yyjson_arr_foreach(array, i, max, o) {
		bool warning = strcmp(text_of(o, "level"), "warning") == 0;
		struct fault fault = {
			.level = warning ? FAULT_WARNING : FAULT_ERROR,
			.file = (char *)text_of(o, "file"),
			.path = (char *)text_of(o, "path"),
			.message = (char *)text_of(o, "message"),
			.line = (unsigned)yyjson_get_uint(yyjson_obj_get(o, "line")),
			.column = (unsigned)yyjson_get_uint(yyjson_obj_get(o, "column")),
		};

		append(f, &fault);
	}
}
