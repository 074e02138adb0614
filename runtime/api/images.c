/* GET images/json, images/NAME/json, images/NAME/history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/image_filters.h"
#include "api/image_names.h"
#include "api/json.h"
#include "api/request.h"
#include "api/summary.h"
#include "base/cleanup.h"
#include "yyjson.h"

static void free_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

#define autodoc __attribute__((cleanup(free_doc)))

static yyjson_doc *read_config(struct request *r, const struct image *image)
{
	autofree char *text = NULL;
	size_t len;

	if (image->fault || image_config(r->engine->store, image, &text, &len, NULL) < 0)
		return NULL;
	return yyjson_read(text, len, 0);
}

static void add_refs(struct buf *b, const char *key, const struct image *image,
		     const struct image_filters *filters)
{
	json_open(b, key, '[');
	for (size_t i = 0; i < image->ref_count; i++) {
		char text[REF_TEXT_MAX];
		struct ref ref;

		if (!ref_parse(&ref, image->refs[i], NULL) && *ref.tag &&
		    image_filters_match_name(filters, image->refs[i])) {
			*ref.digest = '\0';
			json_string(b, NULL, ref_familiar(&ref, text));
		}
	}
	json_close(b, ']');
}

static void add_digests(struct buf *b, const struct image *image,
			const struct image_filters *filters)
{
	char text[REF_TEXT_MAX];

	json_open(b, "RepoDigests", '[');
	for (size_t i = 0; i < image->ref_count; i++)
		if (image_filters_match_name(filters, image->refs[i]) && image_repo_digest(image, i, text))
			json_string(b, NULL, text);
	json_close(b, ']');
}

static void add_value(struct buf *b, const char *key, yyjson_val *value)
{
	autofree char *text = value ? yyjson_val_write(value, 0, NULL) : NULL;

	json_raw(b, key, text ? text : "null");
}

static int64_t users(const struct engine *en, const struct image *image)
{
	int64_t count = 0;

	for (size_t i = 0; i < en->count; i++)
		count += en->containers[i]->image_id && !strcmp(en->containers[i]->image_id, image->id);
	return count;
}

static void add_summary(struct request *r, struct buf *b, const struct image *image,
			yyjson_val *root, const struct image_filters *filters, bool shared)
{
	yyjson_val *config = yyjson_obj_get(root, "config");

	json_open(b, NULL, '{');
	json_int(b, "Containers", shared ? users(r->engine, image) : -1);
	json_int(b, "Created", image_created(root));
	json_string(b, "Id", image->id);
	add_value(b, "Labels", yyjson_obj_get(config, "Labels"));
	json_string(b, "ParentId", "");
	add_digests(b, image, filters);
	add_refs(b, "RepoTags", image, filters);
	json_int(b, "SharedSize", !shared ? -1 : (int64_t)(image->size_bytes -
		 engine_image_own_bytes(r->engine, image)));
	json_int(b, "Size", (int64_t)image->size_bytes);
	json_close(b, '}');
}

void image_summary(struct request *r, struct buf *b, const struct image *image)
{
	autodoc yyjson_doc *doc = read_config(r, image);

	add_summary(r, b, image, yyjson_doc_get_root(doc), NULL, true);
}

/* Without `all` docker leaves out layers of the classic builder, of which we have none. */
void handle_images(struct request *r)
{
	struct image_filters *filters;
	struct buf json = { 0 };
	struct err e = { 0 };
	int rc = image_filters_parse(&filters, request_query(r, "filters"), r->engine, &e);

	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	json_open(&json, NULL, '[');
	for (size_t i = 0; i < store_count(r->engine->store); i++) {
		const struct image *image = store_image(r->engine->store, i);
		autodoc yyjson_doc *doc = read_config(r, image);

		if (image_filters_match(filters, image, yyjson_doc_get_root(doc)))
			add_summary(r, &json, image, yyjson_doc_get_root(doc), filters,
				    request_flag(r, "shared-size"));
	}
	json_close(&json, ']');
	buf_addc(&json, '\n');
	image_filters_free(filters);
	reply_json(r, MHD_HTTP_OK, &json);
}

static const struct image *find_image(struct request *r)
{
	const struct image *image;
	struct err e = { 0 };
	int rc = store_find(r->engine->store, r->param, &image, &e);

	if (!rc)
		return image;
	reply_errno(r, rc, &e);
	return NULL;
}

static void add_layers(struct buf *b, const struct image *image)
{
	json_open(b, "RootFS", '{');
	json_string(b, "Type", "layers");
	json_open(b, "Layers", '[');
	for (size_t i = 0; i < image->layer_count; i++)
		json_string(b, NULL, image->layers[i].diff_id);
	json_close(b, ']');
	json_close(b, '}');
}

void handle_image(struct request *r)
{
	const struct image *image = find_image(r);
	autodoc yyjson_doc *doc = image ? read_config(r, image) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc);
	struct buf json = { 0 };

	if (!image)
		return;
	json_open(&json, NULL, '{');
	json_string(&json, "Id", image->id);
	add_refs(&json, "RepoTags", image, NULL);
	add_digests(&json, image, NULL);
	json_string(&json, "Parent", "");
	json_string(&json, "Comment", "");
	add_value(&json, "Created", yyjson_obj_get(root, "created"));
	json_string(&json, "DockerVersion", "");
	json_string(&json, "Author", yyjson_get_str(yyjson_obj_get(root, "author")));
	add_value(&json, "Config", yyjson_obj_get(root, "config"));
	json_string(&json, "Architecture", yyjson_get_str(yyjson_obj_get(root, "architecture")));
	json_string(&json, "Os", yyjson_get_str(yyjson_obj_get(root, "os")));
	json_int(&json, "Size", (int64_t)image->size_bytes);
	json_raw(&json, "GraphDriver", "{\"Data\":null,\"Name\":\"overlay2\"}");
	add_layers(&json, image);
	json_raw(&json, "Metadata", "{\"LastTagTime\":\"0001-01-01T00:00:00Z\"}");
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}

static void add_history(struct buf *b, const struct image *image, yyjson_val *entry, size_t layer,
			bool last)
{
	bool empty = yyjson_get_bool(yyjson_obj_get(entry, "empty_layer"));
	uint64_t size = !empty && layer < image->layer_count ? image->layers[layer].size_bytes : 0;

	json_open(b, NULL, '{');
	json_string(b, "Id", last ? image->id : "<missing>");
	json_int(b, "Created", image_created(entry));
	json_string(b, "CreatedBy", yyjson_get_str(yyjson_obj_get(entry, "created_by")));
	if (last)
		add_refs(b, "Tags", image, NULL);
	else
		json_raw(b, "Tags", "null");
	json_int(b, "Size", (int64_t)size);
	json_string(b, "Comment", yyjson_get_str(yyjson_obj_get(entry, "comment")));
	json_close(b, '}');
}

/* From the newest to the oldest; the layers are counted in the order of the config. */
void handle_history(struct request *r)
{
	const struct image *image = find_image(r);
	autodoc yyjson_doc *doc = image ? read_config(r, image) : NULL;
	yyjson_val *history = yyjson_obj_get(yyjson_doc_get_root(doc), "history");
	size_t count = yyjson_arr_size(history), layer = 0;
	struct buf json = { 0 };

	if (!image)
		return;
	for (size_t i = 0; i < count; i++)
		layer += !yyjson_get_bool(yyjson_obj_get(yyjson_arr_get(history, i), "empty_layer"));
	json_open(&json, NULL, '[');
	for (size_t i = count; i--;) {
		yyjson_val *entry = yyjson_arr_get(history, i);

		if (!yyjson_get_bool(yyjson_obj_get(entry, "empty_layer")))
			layer--;
		add_history(&json, image, entry, layer, i + 1 == count);
	}
	json_close(&json, ']');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}
