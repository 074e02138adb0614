#include "engine/files.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/internal.h"
#include "image/stack.h"

static void add_text(struct buf *b, const char *key, const char *text)
{
	buf_addf(b, ",\"%s\":", key);
	buf_add_json_string(b, text, strlen(text));
}

static int add_layers(struct container *c, struct buf *b, struct err *e)
{
	const struct image *image;
	char path[PATH_MAX];
	int rc = store_find(c->engine->store, c->image_id ? c->image_id : c->spec.image, &image, e);

	buf_adds(b, ",\"lower\":[");
	for (size_t i = rc ? 0 : image->layer_count; !rc && i--;) {
		autofree char *dir = NULL;

		rc = image_layer_dir(c->engine->store, image, i, &dir, e);
		if (rc < 0)
			break;
		buf_add_json_string(b, dir, strlen(dir));
		buf_adds(b, i ? "," : "");
	}
	buf_adds(b, "]");
	container_dir(c, "upper", path, sizeof(path));
	add_text(b, "upper", path);
	container_dir(c, "work", path, sizeof(path));
	add_text(b, "work", path);
	return rc;
}

static void add_mount(struct buf *b, const char *source, const char *target, bool read_only)
{
	buf_addf(b, "%s{\"readOnly\":%s", b->data[b->len - 1] == '[' ? "" : ",",
		 read_only ? "true" : "false");
	if (source)
		add_text(b, "source", source);
	add_text(b, "target", target);
	buf_adds(b, "}");
}

static int compare_depth(const void *a, const void *b)
{
	const struct spec_volume *const *one = a, *const *two = b;

	return (int)strlen((*one)->target) - (int)strlen((*two)->target);
}

/* Parents first: the shorter path cannot be below the longer one. */
static int add_volumes(struct container *c, struct buf *b, struct err *e)
{
	size_t count = c->spec.volumes.count;
	autofree const struct spec_volume **order = calloc(count + 1, sizeof(*order));

	if (!order)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		order[i] = &c->spec.volumes.items[i];
	if (count)
		qsort(order, count, sizeof(*order), compare_depth);
	for (size_t i = 0; i < count; i++) {
		const struct spec_volume *v = order[i];
		const char *source = v->source;
		char path[PATH_MAX];

		if (!strcmp(v->type, "volume") && v->source &&
		    volume_path(c->engine, v->source, path, sizeof(path)) == 0)
			source = path;
		add_mount(b, strcmp(v->type, "tmpfs") ? source : NULL, v->target, v->read_only);
	}
	return 0;
}

static int add_mounts(struct container *c, bool live, struct buf *b, struct err *e)
{
	static const char *const own[] = { "/etc/resolv.conf", "/etc/hostname", "/etc/hosts" };
	bool copy_up;
	int rc = live ? 0 : volumes_prepare(c, &copy_up, e);

	if (rc < 0)
		return rc;
	buf_adds(b, ",\"mounts\":[");
	for (size_t i = 0; live && i < ARRAY_LEN(own); i++)
		add_mount(b, NULL, own[i], false);
	rc = add_volumes(c, b, e);
	buf_adds(b, "]");
	return rc;
}

int files_tell(struct container *c, enum files_extent extent, struct files *out, struct err *e)
{
	bool live = c->pidfd >= 0 && c->pid > 0 && !c->start && extent != FILES_CHANGES;
	struct buf *b = &out->told;
	int rc = 0;

	*out = (struct files){ .process = live ? c->pidfd : -1 };
	if (extent != FILES_CHANGES && !live && container_is_live(c))
		return err_set(e, -EBUSY, "container %s is just being started or stopped", c->name);
	buf_addf(b, "{\"live\":%s,\"readOnly\":%s", live ? "true" : "false",
		 c->spec.read_only ? "true" : "false");
	if (live)
		buf_addf(b, ",\"base\":%" PRIu32, bundle_id_base(c));
	else
		rc = add_layers(c, b, e);
	if (!rc && extent == FILES_ALL)
		rc = add_mounts(c, live, b, e);
	if (c->spec.user)
		add_text(b, "user", c->spec.user);
	buf_adds(b, "}");
	return rc < 0 || buf_ok(b) ? rc : err_set(e, -ENOMEM, "out of memory");
}

void files_written(struct engine *en, const char *id)
{
	for (size_t i = 0; i < en->count; i++) {
		struct container *c = en->containers[i];

		if (strcmp(c->id, id))
			continue;
		if (!--c->writers)
			start_files_settled(c);
		return;
	}
}
