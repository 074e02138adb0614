#include "engine/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "engine/internal.h"

enum { LABELS_MAX = 64 * 1024 };

static const char labels_file[] = "labels.json";

void volume_free(struct volume *v)
{
	free(v->name);
	free(v->mountpoint);
	free(v->labels);
	*v = (struct volume){ .name = NULL };
}

static const struct container *user_of(const struct engine *en, const char *name)
{
	for (size_t i = 0; i < en->count; i++) {
		const struct container *c = en->containers[i];

		for (size_t k = 0; k < c->spec.volumes.count; k++)
			if (!strcmp(c->spec.volumes.items[k].type, "volume") &&
			    c->spec.volumes.items[k].source &&
			    !strcmp(c->spec.volumes.items[k].source, name))
				return c;
	}
	return NULL;
}

static int no_such(const char *name, struct err *e)
{
	return err_set(e, -ENOENT, "get %s: no such volume", name);
}

static char *read_labels(const struct engine *en, const char *name)
{
	autobuf struct buf text = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", en->paths.volumes, name, labels_file);
	if (file_read_at(AT_FDCWD, path, LABELS_MAX, &text, NULL) < 0 || !text.len)
		return NULL;
	return buf_take(&text);
}

int volume_get(const struct engine *en, const char *name, struct volume *out, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	/* The name is checked before it becomes part of a path. */
	if (!container_name_valid(name) || volume_path(en, name, path, sizeof(path)) < 0 ||
	    stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return no_such(name, e);
	*out = (struct volume){
		.name = strdup(name), .mountpoint = strdup(path), .labels = read_labels(en, name),
		.created_ns = (int64_t)st.st_ctim.tv_sec * 1000000000,
		.anonymous = volume_is_anonymous(name), .used = user_of(en, name) != NULL,
	};
	if (out->name && out->mountpoint)
		return 0;
	volume_free(out);
	return err_set(e, -ENOMEM, "out of memory");
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct volume *)a)->name, ((const struct volume *)b)->name);
}

int volumes_list(const struct engine *en, struct volume **out, size_t *count, struct err *e)
{
	autodir DIR *d = opendir(en->paths.volumes);
	struct volume *all = NULL;
	struct dirent *entry;
	size_t n = 0;

	if (!d && errno != ENOENT)
		return err_sys(e, "open \"%s\"", en->paths.volumes);
	while (d && (entry = readdir(d))) {
		struct volume *more = reallocarray(all, n + 1, sizeof(*more));

		if (!more)
			break;
		all = more;
		if (volume_get(en, entry->d_name, &all[n], NULL) == 0)
			n++;
	}
	if (n)
		qsort(all, n, sizeof(*all), compare);
	*out = all;
	*count = n;
	return 0;
}

int volume_create(struct engine *en, const char *name, const char *labels, struct err *e)
{
	struct volume there = { .name = NULL };
	char path[PATH_MAX];
	int rc;

	if (!container_name_valid(name))
		return err_set(e, -EINVAL, "create %.128s: \"%.128s\" includes invalid characters for a "
			       "local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you "
			       "intended to pass a host directory, use absolute path", name, name);
	if (volume_get(en, name, &there, NULL) == 0) {
		volume_free(&there);
		return 0;
	}
	snprintf(path, sizeof(path), "%s/%s", en->paths.volumes, name);
	rc = path_mkdirs(path, 0711, e);
	strncat(path, "/", sizeof(path) - strlen(path) - 1);
	strncat(path, labels_file, sizeof(path) - strlen(path) - 1);
	if (!rc && labels)
		rc = file_replace_at(AT_FDCWD, path, labels, strlen(labels), 0600, e);
	/* _data last: only with it there is a volume. */
	if (!rc)
		rc = volume_path(en, name, path, sizeof(path));
	return rc < 0 ? rc : path_mkdirs(path, 0755, e);
}

int volume_remove(struct engine *en, const char *name, struct err *e)
{
	autoclose int dir = open(en->paths.volumes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct container *user = user_of(en, name);
	struct volume v;
	int rc = volume_get(en, name, &v, e);

	if (rc < 0)
		return rc;
	volume_free(&v);
	if (user)
		return err_set(e, -EBUSY, "remove %s: volume is in use - [%s]", name, user->id);
	return dir < 0 ? err_sys(e, "open \"%s\"", en->paths.volumes) :
			 path_remove_tree(dir, name, e);
}
