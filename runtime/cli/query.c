#include "cli/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/create_body.h"
#include "cli/http.h"

int query_filters(struct buf *out, const struct cli_list *list, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	autofree char *text = NULL;

	yyjson_mut_doc_set_root(doc, root);
	for (size_t i = 0; i < list->count; i++) {
		/* "label!=x" is the filter "label!". */
		const char *item = list->items[i], *equals = strchr(item, '=');
		autofree char *key = equals ? strndup(item, (size_t)(equals - item)) : NULL;
		yyjson_mut_val *values = key ? yyjson_mut_obj_get(root, key) : NULL;

		if (!key) {
			yyjson_mut_doc_free(doc);
			return err_set(e, -EINVAL, "invalid argument \"%s\" for \"--filter\": bad format of "
				       "filter (expected name=value)", item);
		}
		if (!values)
			yyjson_mut_obj_add(root, yyjson_mut_strcpy(doc, key), values = yyjson_mut_arr(doc));
		yyjson_mut_arr_add_str(doc, values, equals + 1);
	}
	text = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	if (list->count && text) {
		buf_adds(out, "&filters=");
		http_escape(out, text);
	}
	return text ? 0 : err_set(e, -ENOMEM, "out of memory");
}

void query_time(struct buf *out, const char *name, const char *text)
{
	int64_t ago, at;

	if (!text)
		return;
	buf_addf(out, "&%s=", name);
	if (create_duration(text, &ago) < 0) {
		http_escape(out, text);
		return;
	}
	at = clock_wall_ns() - ago;
	buf_addf(out, "%lld.%09lld", (long long)(at / 1000000000), (long long)(at % 1000000000));
}
