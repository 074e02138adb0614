/* GET system/df. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "api/summary.h"
#include "base/cleanup.h"
#include "engine/volume.h"

struct kinds {
	bool container, image, volume, cache;
};

/* Several "type"s may be given; none means all. */
static enum MHD_Result on_value(void *arg, enum MHD_ValueKind kind, const char *key,
				const char *value)
{
	struct kinds *k = arg;

	(void)kind;
	if (strcmp(key, "type") || !value)
		return MHD_YES;
	k->container |= !strcmp(value, "container");
	k->image |= !strcmp(value, "image");
	k->volume |= !strcmp(value, "volume");
	k->cache |= !strcmp(value, "build-cache");
	return MHD_YES;
}

static struct kinds asked_for(struct request *r)
{
	struct kinds k = { .container = false };

	MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, on_value, &k);
	if (!k.container && !k.image && !k.volume && !k.cache)
		k = (struct kinds){ true, true, true, true };
	return k;
}

static bool came_before(const struct store *s, size_t image, const char *diff_id)
{
	for (size_t i = 0; i < image; i++) {
		const struct image *other = store_image(s, i);

		for (size_t k = 0; k < other->layer_count; k++)
			if (!strcmp(other->layers[k].diff_id, diff_id))
				return true;
	}
	return false;
}

/* Each layer once, however many images use it. */
static int64_t layers_size(const struct store *s)
{
	int64_t sum = 0;

	for (size_t i = 0; i < store_count(s); i++) {
		const struct image *image = store_image(s, i);

		for (size_t k = 0; k < image->layer_count; k++)
			if (!came_before(s, i, image->layers[k].diff_id))
				sum += (int64_t)image->layers[k].size_bytes;
	}
	return sum;
}

static void add_images(struct request *r, struct buf *json)
{
	const struct store *s = r->engine->store;

	json_int(json, "LayersSize", layers_size(s));
	json_open(json, "Images", '[');
	for (size_t i = 0; i < store_count(s); i++)
		image_summary(r, json, store_image(s, i));
	json_close(json, ']');
}

static void add_containers(struct request *r, struct buf *json, const struct sizes *sizes)
{
	json_open(json, "Containers", '[');
	for (size_t i = r->engine->count; i--;)
		container_summary(json, r->engine->containers[i], sizes);
	json_close(json, ']');
}

static void add_volumes(struct request *r, struct buf *json, const struct sizes *sizes)
{
	struct volume *all = NULL;
	size_t count = 0;

	json_open(json, "Volumes", '[');
	volumes_list(r->engine, &all, &count, NULL);
	for (size_t i = 0; i < count; i++) {
		volume_summary(json, r->engine, &all[i], sizes);
		volume_free(&all[i]);
	}
	free(all);
	json_close(json, ']');
}

static void answer(struct request *r, const struct sizes *sizes)
{
	struct kinds k = asked_for(r);
	struct buf json = { 0 };

	json_open(&json, NULL, '{');
	if (k.image)
		add_images(r, &json);
	if (k.container)
		add_containers(r, &json, sizes);
	if (k.volume)
		add_volumes(r, &json, sizes);
	if (k.cache)
		json_raw(&json, "BuildCache", "[]");
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}

void handle_df(struct request *r)
{
	struct kinds k = asked_for(r);
	unsigned what = (k.container ? SIZES_CONTAINERS : 0) | (k.volume ? SIZES_VOLUMES : 0);

	sizes_count(r, what, NULL, answer);
}

/* Nothing is built here: docker's system prune asks all the same. */
void handle_build_prune(struct request *r)
{
	struct buf json = { 0 };

	buf_adds(&json, "{\"CachesDeleted\":null,\"SpaceReclaimed\":0}\n");
	reply_json(r, MHD_HTTP_OK, &json);
}
