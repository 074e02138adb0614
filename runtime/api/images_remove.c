/* DELETE images/{}, POST images/prune. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/image_filters.h"
#include "api/json.h"
#include "api/request.h"
#include "base/cleanup.h"

static void add_step(void *arg, const char *what, const char *name)
{
	struct buf *json = arg;

	json_open(json, NULL, '{');
	json_string(json, what, name);
	json_close(json, '}');
}

void handle_image_remove(struct request *r)
{
	struct buf json = { 0 };
	struct image_teller teller = { add_step, &json };
	struct err e = { 0 };
	int rc;

	json_open(&json, NULL, '[');
	rc = engine_image_remove(r->engine, r->param, request_flag(r, "force"), &teller, &e);
	if (rc < 0) {
		buf_free(&json);
		reply_errno(r, rc, &e);
		return;
	}
	json_close(&json, ']');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}

static bool may_go(struct request *r, const struct image_filters *f, const struct image *image)
{
	autofree char *text = NULL;
	yyjson_doc *doc = NULL;
	size_t len;
	bool goes;

	if (engine_image_used(r->engine, image))
		return false;
	/* Without a word of it only what has no name: docker's prune without --all. */
	if (image_filters_dangling(f) == -1 && image_has_tag(image))
		return false;
	if (!image->fault && image_config(r->engine->store, image, &text, &len, NULL) == 0)
		doc = yyjson_read(text, len, 0);
	goes = image_filters_match(f, image, yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
	return goes;
}

/* The images that go, by ID: the list of the store changes with each that does. */
static char **choose(struct request *r, const struct image_filters *f, size_t *count)
{
	size_t all = store_count(r->engine->store);
	char **ids = calloc(all + 1, sizeof(*ids));

	*count = 0;
	for (size_t i = 0; ids && i < all; i++) {
		const struct image *image = store_image(r->engine->store, i);

		if (may_go(r, f, image) && (ids[*count] = strdup(image->digest)))
			++*count;
	}
	return ids;
}

static uint64_t prune(struct request *r, char **ids, size_t count, struct buf *json)
{
	struct image_teller teller = { add_step, json };
	uint64_t freed = 0;

	for (size_t i = 0; i < count; i++) {
		const struct image *image;
		uint64_t bytes;

		if (store_find(r->engine->store, ids[i], &image, NULL) < 0)
			continue;
		bytes = engine_image_own_bytes(r->engine, image);
		/* What the system brings refuses to go, and is not what prune is about. */
		if (engine_image_remove(r->engine, ids[i], true, &teller, NULL) == 0)
			freed += bytes;
	}
	return freed;
}

/* docker's filter here: dangling=false means all that nobody uses. */
void handle_images_prune(struct request *r)
{
	struct image_filters *f = NULL;
	struct buf json = { 0 };
	struct err e = { 0 };
	size_t count;
	uint64_t freed;
	char **ids;
	int rc = image_filters_parse(&f, request_query(r, "filters"), r->engine, &e);

	if (rc < 0) {
		reply_errno(r, rc, &e);
		return;
	}
	ids = choose(r, f, &count);
	json_open(&json, NULL, '{');
	json_open(&json, "ImagesDeleted", '[');
	freed = prune(r, ids, count, &json);
	json_close(&json, ']');
	json_int(&json, "SpaceReclaimed", (int64_t)freed);
	json_close(&json, '}');
	buf_addc(&json, '\n');
	for (size_t i = 0; ids && i < count; i++)
		free(ids[i]);
	free(ids);
	image_filters_free(f);
	reply_json(r, MHD_HTTP_OK, &json);
}
