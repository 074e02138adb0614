/* Named volumes: VOLUMES/NAME/_data. A new one is filled with what the image has at its place. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/internal.h"

int volume_path(const struct engine *en, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s/_data", en->paths.volumes, name);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static const struct spec_volume *volume_at(const struct container_spec *spec, const char *target)
{
	for (size_t i = 0; i < spec->volumes.count; i++)
		if (!strcmp(spec->volumes.items[i].target, target))
			return &spec->volumes.items[i];
	return NULL;
}

static int name_volume(struct spec_volume *v, struct err *e)
{
	char name[CONTAINER_ID_LEN + 1];

	if (strcmp(v->type, "volume") || (v->source && *v->source))
		return 0;
	if (container_random_id(name) < 0)
		return err_set(e, -EIO, "no random numbers for a volume's name");
	free(v->source);
	v->source = strdup(name);
	return v->source ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* The image's VOLUMEs that the spec says nothing about become volumes without a name, and every
 * volume without a name gets one of 64 digits, as docker does it. */
int volumes_name_anonymous(struct container_spec *spec, const struct image_config *config,
			   struct err *e)
{
	int rc = 0;

	for (size_t i = 0; config && i < config->Volumes.count; i++) {
		const char *target = config->Volumes.items[i];
		struct spec_volume *v;

		if (*target != '/' || volume_at(spec, target))
			continue;
		v = record_list_add(&spec->volumes, sizeof(*v));
		if (!v)
			return err_set(e, -ENOMEM, "out of memory");
		v->type = strdup("volume");
		v->target = strdup(target);
		if (!v->type || !v->target)
			return err_set(e, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; !rc && i < spec->volumes.count; i++)
		rc = name_volume(&spec->volumes.items[i], e);
	return rc;
}

static bool is_empty(const char *path)
{
	autodir DIR *d = opendir(path);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			return false;
	return true;
}

/* Volumes are made here; `*copy_up` says that one of them is empty and wants the image's files.
 * An empty one is asked again at each start until there is something in it, like docker's. */
int volumes_prepare(struct container *c, bool *copy_up, struct err *e)
{
	char path[PATH_MAX];

	*copy_up = false;
	for (size_t i = 0; i < c->spec.volumes.count; i++) {
		const struct spec_volume *v = &c->spec.volumes.items[i];
		int rc;

		if (strcmp(v->type, "volume"))
			continue;
		rc = volume_path(c->engine, v->source, path, sizeof(path));
		if (rc < 0)
			return err_code(e, rc, "volume \"%s\"", v->source);
		rc = path_mkdirs(path, 0755, e);
		if (rc < 0)
			return rc;
		if (!v->nocopy && is_empty(path))
			*copy_up = true;
	}
	return 0;
}

/* Volumes that the container brought along itself (names of 64 digits) and nobody else uses. */
bool volume_is_anonymous(const char *name)
{
	return strlen(name) == CONTAINER_ID_LEN &&
	       strspn(name, "0123456789abcdef") == CONTAINER_ID_LEN;
}

static bool used_elsewhere(const struct container *self, const char *name)
{
	const struct engine *en = self->engine;

	for (size_t i = 0; i < en->count; i++) {
		const struct container *c = en->containers[i];

		for (size_t v = 0; c != self && v < c->spec.volumes.count; v++)
			if (c->spec.volumes.items[v].source &&
			    !strcmp(c->spec.volumes.items[v].source, name))
				return true;
	}
	return false;
}

void volumes_remove_anonymous(struct container *c)
{
	autoclose int dir = open(c->engine->paths.volumes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; dir >= 0 && i < c->spec.volumes.count; i++) {
		const struct spec_volume *v = &c->spec.volumes.items[i];
		struct err e = { 0 };

		if (strcmp(v->type, "volume") || !volume_is_anonymous(v->source) ||
		    used_elsewhere(c, v->source))
			continue;
		if (path_remove_tree(dir, v->source, &e) < 0)
			log_warn("volume of container \"%s\": %s", c->name, e.text);
	}
}
