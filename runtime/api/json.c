#include "api/json.h"

#include <string.h>

#include "base/clock.h"

static void begin(struct buf *b, const char *key)
{
	char last = b->len ? b->data[b->len - 1] : '{';

	if (b->len && !strchr("{[:\n", last))
		buf_addc(b, ',');
	if (key) {
		buf_add_json_string(b, key, strlen(key));
		buf_addc(b, ':');
	}
}

void json_open(struct buf *b, const char *key, char bracket)
{
	begin(b, key);
	buf_addc(b, bracket);
}

void json_close(struct buf *b, char bracket)
{
	buf_addc(b, bracket);
}

void json_text(struct buf *b, const char *key, const char *text, size_t len)
{
	begin(b, key);
	buf_add_json_string(b, text, len);
}

void json_string(struct buf *b, const char *key, const char *text)
{
	json_text(b, key, text ? text : "", text ? strlen(text) : 0);
}

void json_int(struct buf *b, const char *key, int64_t value)
{
	begin(b, key);
	buf_addf(b, "%lld", (long long)value);
}

void json_bool(struct buf *b, const char *key, bool value)
{
	begin(b, key);
	buf_adds(b, value ? "true" : "false");
}

void json_raw(struct buf *b, const char *key, const char *json)
{
	begin(b, key);
	buf_adds(b, json);
}

void json_time(struct buf *b, const char *key, int64_t wall_ns)
{
	char text[CLOCK_RFC3339_MAX];

	json_string(b, key, wall_ns ? clock_rfc3339(wall_ns, text) : "0001-01-01T00:00:00Z");
}

void json_strings(struct buf *b, const char *key, const struct string_list *list)
{
	if (!list->count && !list->present) {
		json_raw(b, key, "null");
		return;
	}
	json_open(b, key, '[');
	for (size_t i = 0; i < list->count; i++)
		json_string(b, NULL, list->items[i]);
	json_close(b, ']');
}

void json_map(struct buf *b, const char *key, const struct string_map *map)
{
	json_open(b, key, '{');
	for (size_t i = 0; i < map->count; i++)
		json_string(b, map->items[i].name, map->items[i].value);
	json_close(b, '}');
}
