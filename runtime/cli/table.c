#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { GAP = 3 };

struct table {
	const char *const *head;
	size_t columns, rows;
	char **cells; /* rows * columns, owned */
};

struct table *table_new(const char *const *head, size_t columns)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t) {
		t->head = head;
		t->columns = columns;
	}
	return t;
}

void table_row(struct table *t, const char *const *cells)
{
	char **grown = t ? realloc(t->cells, (t->rows + 1) * t->columns * sizeof(*grown)) : NULL;

	if (!grown)
		return;
	t->cells = grown;
	for (size_t c = 0; c < t->columns; c++)
		grown[t->rows * t->columns + c] = strdup(cells[c] ? cells[c] : "");
	t->rows++;
}

size_t table_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_row(const struct table *t, const char *const *cells, const size_t *widths)
{
	for (size_t c = 0; c < t->columns; c++) {
		const char *text = cells[c] ? cells[c] : "";

		fputs(text, stdout);
		if (c + 1 < t->columns)
			printf("%*s", (int)(widths[c] - table_width(text)) + GAP, "");
	}
	putchar('\n');
}

void table_print(const struct table *t)
{
	autofree size_t *widths = t ? calloc(t->columns, sizeof(*widths)) : NULL;

	if (!widths)
		return;
	for (size_t c = 0; c < t->columns; c++)
		widths[c] = table_width(t->head[c]);
	for (size_t i = 0; i < t->rows * t->columns; i++) {
		size_t width = table_width(t->cells[i] ? t->cells[i] : "");

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
	print_row(t, t->head, widths);
	for (size_t r = 0; r < t->rows; r++)
		print_row(t, (const char *const *)t->cells + r * t->columns, widths);
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
