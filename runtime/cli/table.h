/* Columns as docker prints them: left-aligned, three spaces apart, at least as wide as needed. */
#pragma once

#include <stddef.h>

struct table;

/* The texts of the head are not copied; the cells are. NULL when out of memory. */
struct table *table_new(const char *const *head, size_t columns);
void table_row(struct table *t, const char *const *cells);
void table_print(const struct table *t);
void table_free(struct table *t);

/* Display width of UTF-8 text, in characters. */
size_t table_width(const char *text);
