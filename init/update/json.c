#include "update/json.h"

#include <stdio.h>
#include <string.h>

const char *json_text(yyjson_val *from, const char *key, const char *otherwise)
{
	const char *text = yyjson_get_str(yyjson_obj_get(from, key));

	return text ? text : otherwise;
}

void json_copy_text(yyjson_val *from, const char *key, char *out, size_t room)
{
	snprintf(out, room, "%s", json_text(from, key, ""));
}

void json_add_text(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "\"%s\":", key);
	buf_add_json_string(out, value, strlen(value));
	buf_addc(out, ',');
}
