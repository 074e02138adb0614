/* Making containers and finding them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/internal.h"
#include "spec/oci_make.h"
#include "yyjson.h"

enum { NEAR_MOST = 3, USERNS_MOST = 65000, NAME_MOST = 64 };

int engine_find(struct engine *en, const char *text, struct container **out, struct err *e)
{
	struct container *found = NULL;
	bool several = false;

	for (size_t i = 0; i < en->count; i++) {
		enum container_match m = container_matches(en->containers[i], text);

		if (m == MATCH_EXACT) {
			*out = en->containers[i];
			return 0;
		}
		if (m == MATCH_PREFIX) {
			several = found != NULL;
			found = en->containers[i];
		}
	}
	if (several)
		return err_set(e, -EINVAL, "Multiple IDs found with provided prefix: %s", text);
	if (!found)
		return err_set(e, -ENOENT, "No such container: %s", text);
	*out = found;
	return 0;
}

int engine_image_config(struct engine *en, const char *image, struct image_config *out,
			struct err *e)
{
	const struct image *found;
	autofree char *text = NULL;
	yyjson_doc *doc;
	size_t len;
	int rc = store_find(en->store, image, &found, e);

	if (!rc)
		rc = image_config(en->store, found, &text, &len, e);
	if (rc < 0)
		return rc;
	doc = yyjson_read(text, len, 0);
	if (!doc)
		return err_set(e, -EBADMSG, "the config of image \"%s\" is damaged", image);
	rc = image_config_from_json(yyjson_doc_get_root(doc), out, e);
	yyjson_doc_free(doc);
	return rc;
}

int engine_container_env(const struct container *c, const struct image_config *image,
			 struct string_list *out)
{
	char id[CONTAINER_SHORT_ID_LEN + 1];
	const char *hostname = c->spec.hostname && *c->spec.hostname ? c->spec.hostname :
								       container_short_id(c, id);

	return container_spec_env(&c->spec, image, hostname, out, NULL);
}

/* Levenshtein's distance of two short names. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_MOST + 1];
	size_t width = strnlen(b, NAME_MOST);

	for (size_t j = 0; j <= width; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i] && i < NAME_MOST; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < width; j++) {
			unsigned best = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			if (row[j + 1] + 1 < best)
				best = row[j + 1] + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			row[j + 1] = best;
		}
	}
	return row[width];
}

struct near {
	char name[REF_TEXT_MAX];
	unsigned distance;
};

static void keep_nearest(struct near *nearest, size_t *count, const char *full, const char *wanted)
{
	struct ref ref;
	struct near n;
	size_t at = *count;

	if (ref_parse(&ref, full, NULL) < 0)
		return;
	ref_familiar(&ref, n.name);
	n.distance = distance(n.name, wanted);
	while (at > 0 && nearest[at - 1].distance > n.distance)
		at--;
	if (at == NEAR_MOST)
		return;
	if (*count < NEAR_MOST)
		(*count)++;
	memmove(nearest + at + 1, nearest + at, (*count - at - 1) * sizeof(*nearest));
	nearest[at] = n;
}

void engine_near_images(const struct engine *en, const char *name, struct buf *out)
{
	struct near nearest[NEAR_MOST];
	size_t count = 0;

	for (size_t i = 0; i < store_count(en->store); i++) {
		const struct image *image = store_image(en->store, i);

		for (size_t r = 0; r < image->ref_count; r++)
			keep_nearest(nearest, &count, image->refs[r], name);
	}
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s\"%s\"", i ? ", " : "", nearest[i].name);
}

static int64_t free_userns(const struct engine *en)
{
	for (int64_t n = 0; n < USERNS_MOST; n++) {
		size_t i = 0;

		while (i < en->count && en->containers[i]->userns != n)
			i++;
		if (i == en->count)
			return n;
	}
	return -1;
}

struct container *container_named(const struct engine *en, const char *name)
{
	for (size_t i = 0; i < en->count; i++)
		if (!strcmp(en->containers[i]->name, name))
			return en->containers[i];
	return NULL;
}

int container_name_free(const struct engine *en, const char *name, struct err *e)
{
	const struct container *there;

	if (!name || !container_name_valid(name))
		return err_set(e, -EINVAL, "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] "
			       "are allowed", name ? name : "");
	there = container_named(en, name);
	return !there ? 0 : err_set(e, -EEXIST, "Conflict. The container name \"/%s\" is already in "
				    "use by container \"%s\". You have to remove (or rename) that "
				    "container to be able to reuse that name.", name, there->id);
}

static bool has_target(const struct container_spec *spec, const char *target)
{
	for (size_t i = 0; i < spec->volumes.count; i++)
		if (!strcmp(spec->volumes.items[i].target, target))
			return true;
	return false;
}

static int copy_text(char **to, const char *text)
{
	*to = text ? strdup(text) : NULL;
	return text && !*to ? -ENOMEM : 0;
}

static int copy_volume(const struct spec_volume *from, bool read_only, struct container_spec *spec)
{
	struct spec_volume *v = record_list_add(&spec->volumes, sizeof(*v));

	if (!v || copy_text(&v->type, from->type) < 0 || copy_text(&v->source, from->source) < 0 ||
	    copy_text(&v->target, from->target) < 0 ||
	    copy_text(&v->bind_propagation, from->bind_propagation) < 0)
		return -ENOMEM;
	v->read_only = from->read_only || read_only;
	v->nocopy = from->nocopy;
	return 0;
}

/* "NAME", "NAME:ro": what the container has of its own comes first. */
static int copy_volumes_from(struct container *c, const char *text, struct err *e)
{
	const char *mode = strchr(text, ':');
	autofree char *name = strndup(text, mode ? (size_t)(mode - text) : strlen(text));
	struct container *from;
	int rc = name ? engine_find(c->engine, name, &from, e) : err_set(e, -ENOMEM, "out of memory");

	if (rc < 0)
		return rc == -ENOENT ? -EINVAL : rc;
	if (mode && strcmp(mode, ":ro") && strcmp(mode, ":rw"))
		return err_set(e, -EINVAL, "invalid mode: %.64s", mode + 1);
	for (size_t i = 0; i < from->spec.volumes.count; i++) {
		const struct spec_volume *v = &from->spec.volumes.items[i];

		if (strcmp(v->type, "tmpfs") && !has_target(&c->spec, v->target) &&
		    copy_volume(v, mode && !strcmp(mode, ":ro"), &c->spec) < 0)
			return err_set(e, -ENOMEM, "out of memory");
	}
	return 0;
}

/* The image may be missing: the start will say so. */
static int fill_from_image(struct container *c, struct err *e)
{
	autoimage struct image_config image = { 0 };
	const struct image *found;
	int rc;

	if (store_find(c->engine->store, c->spec.image, &found, NULL) < 0 ||
	    engine_image_config(c->engine, found->id, &image, NULL) < 0) {
		rc = volumes_name_anonymous(&c->spec, NULL, e);
		container_spec_argv(&c->spec, &image, &c->argv, NULL);
		return rc;
	}
	c->image_id = strdup(found->id);
	rc = volumes_name_anonymous(&c->spec, &image, e);
	container_spec_argv(&c->spec, &image, &c->argv, NULL);
	return rc;
}

static int fill(struct container *c, const struct container_spec *spec, const char *declaration,
		struct err *e)
{
	int rc = container_spec_copy(spec, &c->spec);

	if (rc < 0)
		return err_code(e, rc, "container \"%s\"", spec->name);
	c->name = strdup(spec->name);
	c->declaration = declaration ? strdup(declaration) : NULL;
	c->created_ns = clock_wall_ns();
	c->userns = free_userns(c->engine);
	if (!c->name || (declaration && !c->declaration))
		return err_set(e, -ENOMEM, "out of memory");
	if (c->userns < 0)
		return err_set(e, -ENOSPC, "no user namespace is left");
	rc = container_random_id(c->id);
	if (rc < 0)
		return err_code(e, rc, "random numbers");
	for (size_t i = 0; !rc && i < c->spec.volumes_from.count; i++)
		rc = copy_volumes_from(c, c->spec.volumes_from.items[i], e);
	if (!rc)
		rc = network_make_endpoints(c, e);
	return rc < 0 ? rc : fill_from_image(c, e);
}

int engine_create(struct engine *en, const struct container_spec *spec, const char *declaration,
		  struct container **out, struct err *e)
{
	struct container *c;
	int rc = container_name_free(en, spec->name, e);

	if (rc < 0)
		return rc;
	c = container_new(en);
	if (!c)
		return err_set(e, -ENOMEM, "out of memory");
	rc = fill(c, spec, declaration, e);
	if (!rc && keep_add(en, c) < 0)
		rc = err_set(e, -ENOMEM, "out of memory");
	if (rc < 0) {
		container_free(c);
		return rc;
	}
	keep_next(c);
	events_add(en->events, "create", c, NULL);
	*out = c;
	return 0;
}
