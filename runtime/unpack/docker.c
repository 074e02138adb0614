#include "unpack/docker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "image/manifest.h"

void docker_free(struct docker_image *image)
{
	for (size_t i = 0; i < image->layer_count; i++)
		free(image->layers[i]);
	free(image->layers);
	free(image->config);
	*image = (struct docker_image){ 0 };
}

static bool named(yyjson_val *entry, const struct ref *ref)
{
	yyjson_val *name;
	size_t i, n;

	yyjson_arr_foreach(yyjson_obj_get(entry, "RepoTags"), i, n, name) {
		struct ref have;

		if (yyjson_is_str(name) && !ref_parse(&have, yyjson_get_str(name), NULL) &&
		    !memcmp(&have, ref, sizeof(have)))
			return true;
	}
	return false;
}

static yyjson_val *choose(yyjson_val *list, const struct ref *ref)
{
	yyjson_val *entry;
	size_t i, n;

	yyjson_arr_foreach(list, i, n, entry)
		if (named(entry, ref))
			return entry;
	return yyjson_arr_size(list) == 1 ? yyjson_arr_get_first(list) : NULL;
}

static int read_image(struct docker_image *out, yyjson_val *entry, struct err *e)
{
	const char *config = yyjson_get_str(yyjson_obj_get(entry, "Config"));
	yyjson_val *layers = yyjson_obj_get(entry, "Layers"), *layer;
	size_t i, n;

	if (!config || !yyjson_is_arr(layers) || yyjson_arr_size(layers) > MANIFEST_LAYERS_MAX)
		return err_set(e, -EINVAL, "\"manifest.json\" has no \"Config\", or no list \"Layers\" "
			       "of at most %d", MANIFEST_LAYERS_MAX);
	out->config = strdup(config);
	out->layers = calloc(yyjson_arr_size(layers) + 1, sizeof(*out->layers));
	if (!out->config || !out->layers)
		return err_set(e, -ENOMEM, "out of memory");
	yyjson_arr_foreach(layers, i, n, layer) {
		if (!yyjson_is_str(layer))
			return err_set(e, -EINVAL, "\"manifest.json\": layer %zu is no file name", i + 1);
		out->layers[i] = strdup(yyjson_get_str(layer));
		if (!out->layers[i])
			return err_set(e, -ENOMEM, "out of memory");
		out->layer_count++;
	}
	return 0;
}

int docker_parse(struct docker_image *out, const char *text, size_t len, const struct ref *ref,
		 struct err *e)
{
	struct docker_image image = { 0 };
	yyjson_read_err fault;
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text, len, 0, NULL, &fault);
	yyjson_val *entry;
	int rc;

	if (!doc)
		return err_set(e, -EINVAL, "\"manifest.json\" is not JSON: %s at byte %zu", fault.msg,
			       fault.pos);
	entry = choose(yyjson_doc_get_root(doc), ref);
	if (entry)
		rc = read_image(&image, entry, e);
	else
		rc = err_set(e, -ENOENT, "\"manifest.json\" holds no image of that name");
	yyjson_doc_free(doc);
	if (rc < 0) {
		docker_free(&image);
		return rc;
	}
	*out = image;
	return 0;
}
