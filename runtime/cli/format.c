#include "cli/format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/table.h"
#include "cli/template.h"

enum { COLUMNS_MOST = 32 };

int format_line(const char *format, yyjson_val *row, struct err *e)
{
	autofree char *text = template_unescape(strcmp(format, "json") ? format : "{{json .}}");
	autobuf struct buf out = { 0 };
	int rc = text ? template_run(text, row, &out, e) : err_set(e, -ENOMEM, "out of memory");

	if (!rc)
		puts(buf_text(&out));
	return rc;
}

/* A line's cells are between its tabs. */
static size_t split(char *line, const char *cells[COLUMNS_MOST])
{
	size_t count = 0;

	for (char *cell = line; cell && count < COLUMNS_MOST; count++) {
		char *tab = strchr(cell, '\t');

		cells[count] = cell;
		if (tab)
			*tab++ = '\0';
		cell = tab;
	}
	return count;
}

/* The template's own words with the columns' headings for values. */
static int make_head(const char *template, const struct format_field *fields, size_t count,
		     struct buf *out, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *head = yyjson_mut_obj(doc);
	yyjson_doc *frozen;
	int rc;

	for (size_t i = 0; i < count; i++)
		yyjson_mut_obj_add_str(doc, head, fields[i].name, fields[i].heading);
	yyjson_mut_doc_set_root(doc, head);
	frozen = yyjson_mut_doc_imut_copy(doc, NULL);
	rc = template_run(template, yyjson_doc_get_root(frozen), out, e);
	yyjson_doc_free(frozen);
	yyjson_mut_doc_free(doc);
	return rc;
}

static int print_table(const char *template, const struct format_field *fields, size_t count,
		       yyjson_val *rows, struct err *e)
{
	const char *head[COLUMNS_MOST], *cells[COLUMNS_MOST] = { NULL };
	autobuf struct buf heading = { 0 };
	struct table *t;
	size_t columns, i, max;
	yyjson_val *row;
	int rc = make_head(template, fields, count, &heading, e);

	buf_addc(&heading, '\0');
	if (rc < 0 || !buf_ok(&heading))
		return rc < 0 ? rc : -ENOMEM;
	columns = split(heading.data, head);
	t = table_new(head, columns);
	yyjson_arr_foreach(rows, i, max, row) {
		autobuf struct buf line = { 0 };

		rc = rc < 0 ? rc : template_run(template, row, &line, e);
		buf_addc(&line, '\0');
		memset(cells, 0, sizeof(cells));
		if (!rc && buf_ok(&line) && split(line.data, cells) > 0)
			table_row(t, cells);
	}
	if (!rc)
		table_print(t);
	table_free(t);
	return rc;
}

int format_print(const char *format, const struct format_field *fields, size_t count,
		 yyjson_val *rows, struct err *e)
{
	static const char table[] = "table ";
	autofree char *template = NULL;
	yyjson_val *row;
	size_t i, max;
	int rc = 0;

	if (!strncmp(format, table, sizeof(table) - 1)) {
		template = template_unescape(format + sizeof(table) - 1);
		return template ? print_table(template, fields, count, rows, e) : -ENOMEM;
	}
	yyjson_arr_foreach(rows, i, max, row)
		if (!rc)
			rc = format_line(format, row, e);
	return rc;
}
