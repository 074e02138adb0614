/* Writes JSON into a buffer, in order, commas included. `key` is NULL inside an array. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/engine.h"

void json_open(struct buf *b, const char *key, char bracket); /* '{' or '[' */
void json_close(struct buf *b, char bracket);                 /* '}' or ']' */
void json_string(struct buf *b, const char *key, const char *text); /* NULL: "" */
void json_text(struct buf *b, const char *key, const char *text, size_t len);
void json_int(struct buf *b, const char *key, int64_t value);
void json_bool(struct buf *b, const char *key, bool value);
void json_raw(struct buf *b, const char *key, const char *json);
void json_time(struct buf *b, const char *key, int64_t wall_ns); /* 0: docker's year 1 */
void json_strings(struct buf *b, const char *key, const struct string_list *list); /* or null */
void json_map(struct buf *b, const char *key, const struct string_map *map);       /* or {} */
