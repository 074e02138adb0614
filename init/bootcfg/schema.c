#include "bootcfg/schema.h"

#include <string.h>

static const struct key *find(const struct key *keys, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

const struct key *schema_key(const struct type *object, const char *name)
{
	const struct key *k = find(object->keys, object->key_count, name);

	return k ? k : find(object->foreign, object->foreign_count, name);
}

enum { NAME_MAX_COMPARED = 40 };

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Damerau's distance, neighbours swapped counting as one edit: three rows of the matrix. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_COMPARED + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_COMPARED || lb > NAME_MAX_COMPARED)
		return NAME_MAX_COMPARED;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t swap = above[j - 1] + (a[i - 1] != b[j - 1]);

			now[j] = smaller(swap, smaller(above[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = smaller(now[j], twice[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

/* "Hostname" and "read-only" are near to what they should be, however long they are. */
static bool same_but_spelling(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		bool joint = strchr("-_ ", *a) && strchr("-_ ", *b);

		if (!joint && (*a | 0x20) != (*b | 0x20))
			return false;
	}
	return !*a && !*b;
}

const char *schema_nearest(const struct type *object, const char *name)
{
	size_t best = strlen(name) / 3 + 2;
	const char *nearest = NULL;

	for (size_t i = 0; i < object->key_count; i++) {
		size_t d = same_but_spelling(name, object->keys[i].name) ?
				   0 : distance(name, object->keys[i].name);

		if (d < best && d < strlen(object->keys[i].name)) {
			best = d;
			nearest = object->keys[i].name;
		}
	}
	return nearest;
}
