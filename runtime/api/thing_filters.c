#include "api/thing_filters.h"

#include <string.h>

bool filter_is_true(const char *text)
{
	return !strcmp(text, "true") || !strcmp(text, "1");
}

static bool known_key(const char *key, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

yyjson_doc *thing_filters(struct request *r, const char *const *keys, size_t count)
{
	const char *text = request_query(r, "filters");
	yyjson_doc *doc;
	yyjson_val *key, *values;
	size_t i, n;

	if (!text || !*text)
		text = "{}";
	doc = yyjson_read(text, strlen(text), 0);
	if (!yyjson_is_obj(yyjson_doc_get_root(doc))) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "invalid filter");
		yyjson_doc_free(doc);
		return NULL;
	}
	yyjson_obj_foreach(yyjson_doc_get_root(doc), i, n, key, values) {
		if (known_key(yyjson_get_str(key), keys, count))
			continue;
		reply_error(r, MHD_HTTP_BAD_REQUEST, "invalid filter '%.64s'", yyjson_get_str(key));
		yyjson_doc_free(doc);
		return NULL;
	}
	return doc;
}

static bool key_fits(const void *thing, const char *key, yyjson_val *values,
		     thing_match_fn *matches)
{
	bool all = !strncmp(key, "label", 5), any = false;
	yyjson_val *one, *flag;
	size_t i, n;

	if (yyjson_is_obj(values)) {
		yyjson_obj_foreach(values, i, n, one, flag) {
			if (matches(thing, key, yyjson_get_str(one)))
				any = true;
			else if (all)
				return false;
		}
	} else {
		yyjson_arr_foreach(values, i, n, one) {
			if (yyjson_is_str(one) && matches(thing, key, yyjson_get_str(one)))
				any = true;
			else if (all)
				return false;
		}
	}
	return any;
}

bool thing_fits(const void *thing, yyjson_val *filters, thing_match_fn *matches)
{
	yyjson_val *key, *values;
	size_t i, n;

	yyjson_obj_foreach(filters, i, n, key, values)
		if (!key_fits(thing, yyjson_get_str(key), values, matches))
			return false;
	return true;
}
