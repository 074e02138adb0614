#include "api/image_filters.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum { VALUES_MAX = 64 };

struct value {
	size_t key;
	char *text;
	int64_t time; /* of "before", "since", "until" */
};

struct image_filters {
	struct value values[VALUES_MAX];
	size_t count;
};

int64_t image_created(yyjson_val *config)
{
	return timestamp_seconds(yyjson_get_str(yyjson_obj_get(config, "created")));
}

bool image_has_tag(const struct image *image)
{
	struct ref ref;

	for (size_t i = 0; i < image->ref_count; i++)
		if (!ref_parse(&ref, image->refs[i], NULL) && *ref.tag)
			return true;
	return false;
}

static bool is_true(const char *text)
{
	return !strcmp(text, "true") || !strcmp(text, "1") || !strcmp(text, "t");
}

static bool match_dangling(const struct value *v, const struct image *image, yyjson_val *config)
{
	(void)config;
	return is_true(v->text) == !image_has_tag(image);
}

/* "NAME" or "NAME=VALUE" */
static bool match_label(const struct value *v, const struct image *image, yyjson_val *config)
{
	yyjson_val *labels = yyjson_obj_get(yyjson_obj_get(config, "config"), "Labels");
	size_t len = strcspn(v->text, "=");
	yyjson_val *label = yyjson_obj_getn(labels, v->text, len);

	(void)image;
	return label && (!v->text[len] || yyjson_equals_str(label, v->text + len + 1));
}

static bool match_no_label(const struct value *v, const struct image *image, yyjson_val *config)
{
	return !match_label(v, image, config);
}

/* A pattern of the familiar name, with or without its tag. */
static bool match_name(const char *pattern, const char *full)
{
	char text[REF_TEXT_MAX];
	struct ref ref;

	if (ref_parse(&ref, full, NULL) < 0)
		return false;
	if (!fnmatch(pattern, ref_familiar(&ref, text), FNM_PATHNAME))
		return true;
	*ref.digest = *ref.tag = '\0';
	return !fnmatch(pattern, ref_familiar(&ref, text), FNM_PATHNAME);
}

static bool match_reference(const struct value *v, const struct image *image, yyjson_val *config)
{
	(void)config;
	for (size_t i = 0; i < image->ref_count; i++)
		if (match_name(v->text, image->refs[i]))
			return true;
	return false;
}

static bool match_before(const struct value *v, const struct image *image, yyjson_val *config)
{
	(void)image;
	return image_created(config) < v->time;
}

static bool match_since(const struct value *v, const struct image *image, yyjson_val *config)
{
	(void)image;
	return image_created(config) > v->time;
}

enum key_time { TIME_NONE, TIME_IMAGE, TIME_TEXT };

static const struct {
	const char *key;
	bool (*match)(const struct value *v, const struct image *image, yyjson_val *config);
	enum key_time time;
	bool all; /* every value must match */
} keys[] = {
	{ "before", match_before, TIME_IMAGE, false },
	{ "dangling", match_dangling, TIME_NONE, false },
	{ "label", match_label, TIME_NONE, true },
	{ "label!", match_no_label, TIME_NONE, true },
	{ "reference", match_reference, TIME_NONE, false },
	{ "since", match_since, TIME_IMAGE, false },
	{ "until", match_before, TIME_TEXT, false },
};

static int time_of_image(struct engine *en, const char *name, int64_t *out, struct err *e)
{
	const struct image *image;
	autofree char *text = NULL;
	yyjson_doc *doc;
	size_t len;
	int rc = store_find(en->store, name, &image, e);

	if (!rc)
		rc = image_config(en->store, image, &text, &len, e);
	if (rc < 0)
		return rc;
	doc = yyjson_read(text, len, 0);
	*out = image_created(yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
	return 0;
}

static int add(struct image_filters *f, size_t key, const char *text, struct engine *en,
	       struct err *e)
{
	struct value *v = &f->values[f->count];

	if (f->count == VALUES_MAX)
		return err_set(e, -EINVAL, "more than %d filters", VALUES_MAX);
	v->key = key;
	v->text = strdup(text);
	if (!v->text)
		return err_set(e, -ENOMEM, "out of memory");
	f->count++;
	if (keys[key].time == TIME_IMAGE)
		return time_of_image(en, text, &v->time, e);
	if (keys[key].time == TIME_TEXT) {
		v->time = timestamp_or_ago(text, clock_wall_ns()) / 1000000000;
		return v->time ? 0 : err_set(e, -EINVAL, "invalid filter 'until'");
	}
	return 0;
}

static int add_key(struct image_filters *f, const char *name, yyjson_val *values, struct engine *en,
		   struct err *e)
{
	size_t key = 0, i, n;
	yyjson_val *one, *two;
	int rc = 0;

	while (key < ARRAY_LEN(keys) && strcmp(keys[key].key, name))
		key++;
	if (key == ARRAY_LEN(keys))
		return err_set(e, -EINVAL, "invalid filter '%.64s'", name);
	if (yyjson_is_obj(values))
		yyjson_obj_foreach(values, i, n, one, two)
			rc = rc ? rc : add(f, key, yyjson_get_str(one), en, e);
	else
		yyjson_arr_foreach(values, i, n, one)
			rc = rc ? rc : add(f, key, yyjson_is_str(one) ? yyjson_get_str(one) : "", en, e);
	return rc;
}

int image_filters_parse(struct image_filters **out, const char *json, struct engine *en,
			struct err *e)
{
	struct image_filters *f;
	yyjson_doc *doc;
	yyjson_val *name, *values;
	size_t i, n;
	int rc = 0;

	*out = NULL;
	if (!json || !*json)
		return 0;
	doc = yyjson_read(json, strlen(json), 0);
	f = calloc(1, sizeof(*f));
	if (!f || !yyjson_is_obj(yyjson_doc_get_root(doc)))
		rc = err_set(e, -EINVAL, "invalid filter");
	if (!rc)
		yyjson_obj_foreach(yyjson_doc_get_root(doc), i, n, name, values)
			rc = rc ? rc : add_key(f, yyjson_get_str(name), values, en, e);
	yyjson_doc_free(doc);
	if (rc < 0) {
		image_filters_free(f);
		return rc;
	}
	*out = f;
	return 0;
}

void image_filters_free(struct image_filters *f)
{
	for (size_t i = 0; f && i < f->count; i++)
		free(f->values[i].text);
	free(f);
}

static bool match_key(const struct image_filters *f, size_t key, const struct image *image,
		      yyjson_val *config)
{
	bool any = false, all = true, one = false;

	for (size_t i = 0; i < f->count; i++) {
		if (f->values[i].key != key)
			continue;
		any = true;
		if (keys[key].match(&f->values[i], image, config))
			one = true;
		else
			all = false;
	}
	return !any || (keys[key].all ? all : one);
}

bool image_filters_match(const struct image_filters *f, const struct image *image,
			 yyjson_val *config)
{
	for (size_t key = 0; f && key < ARRAY_LEN(keys); key++)
		if (!match_key(f, key, image, config))
			return false;
	return true;
}

bool image_filters_match_name(const struct image_filters *f, const char *full)
{
	bool any = false;

	for (size_t i = 0; f && i < f->count; i++) {
		if (keys[f->values[i].key].match != match_reference)
			continue;
		if (match_name(f->values[i].text, full))
			return true;
		any = true;
	}
	return !any;
}

int image_filters_dangling(const struct image_filters *f)
{
	for (size_t i = 0; f && i < f->count; i++)
		if (keys[f->values[i].key].match == match_dangling)
			return is_true(f->values[i].text);
	return -1;
}
