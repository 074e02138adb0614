#include "fetch/search.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <yyjson.h>

static void add_text(struct buf *out, const char *key, yyjson_val *value)
{
	const char *text = yyjson_get_str(value);

	buf_addf(out, "\"%s\":", key);
	buf_add_json_string(out, text ? text : "", text ? yyjson_get_len(value) : 0);
}

static void add_result(struct buf *out, yyjson_val *one)
{
	static const char *const flags[] = { "is_official", "is_automated" };

	int64_t stars = yyjson_get_sint(yyjson_obj_get(one, "star_count"));

	buf_addf(out, "{\"star_count\":%" PRId64 ",", stars > 0 ? stars : 0);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		buf_addf(out, "\"%s\":%s,", flags[i],
			 yyjson_get_bool(yyjson_obj_get(one, flags[i])) ? "true" : "false");
	add_text(out, "name", yyjson_obj_get(one, "name"));
	buf_addc(out, ',');
	add_text(out, "description", yyjson_obj_get(one, "description"));
	buf_addc(out, '}');
}

int search_results(const char *json, size_t len, struct buf *out, struct err *e)
{
	yyjson_doc *doc = yyjson_read(json, len, 0);
	yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), "results"), *one;
	bool good = yyjson_is_arr(list), first = true;
	size_t i, n;

	buf_addc(out, '[');
	yyjson_arr_foreach(list, i, n, one) {
		if (!yyjson_is_str(yyjson_obj_get(one, "name")))
			continue;
		buf_adds(out, first ? "" : ",");
		add_result(out, one);
		first = false;
	}
	buf_adds(out, "]\n");
	yyjson_doc_free(doc);
	if (!good)
		return err_set(e, -EBADMSG, "the registry's answer to a search holds no results");
	return buf_ok(out) ? 0 : err_set(e, -ENOMEM, "out of memory");
}
