/* Taking away what no image of the index needs (keep.h). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "image/keep.h"
#include "image/manifest.h"
#include "image/store.h"

/* Digests in hex that are needed. */
struct needed {
	char (*hex)[REF_DIGEST_MAX];
	size_t count, room;
	bool failed;
};

static void need(struct needed *n, const char *digest)
{
	if (!*digest || n->failed)
		return;
	if (n->count == n->room) {
		size_t room = n->room ? 2 * n->room : 64;
		void *more = reallocarray(n->hex, room, sizeof(*n->hex));

		n->failed = !more;
		if (!more)
			return;
		n->hex = more;
		n->room = room;
	}
	snprintf(n->hex[n->count++], REF_DIGEST_MAX, "%s", digest_hex(digest));
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void need_layers_of(const struct store *s, const struct image *image, struct needed *blobs)
{
	struct manifest m = { 0 };
	autofree char *text = NULL;
	size_t len;

	if (image_manifest(s, image, &text, &len, NULL) < 0 ||
	    manifest_parse(&m, text, len, NULL) < 0)
		return;
	for (size_t i = 0; i < m.layer_count; i++)
		need(blobs, m.layers[i].digest);
	manifest_free(&m);
}

static void need_image(const struct store *s, const struct image *image, struct needed *blobs,
		       struct needed *layers)
{
	need(blobs, image->digest);
	need(blobs, image->id);
	need_layers_of(s, image, blobs);
	for (size_t i = 0; i < image->layer_count; i++)
		need(layers, image->layers[i].diff_id);
}

/* One rename takes a whole layer out of sight, however many files it has. */
static int move_away(int store, const char *part, const char *name, struct err *e)
{
	char from[300], to[300];

	snprintf(from, sizeof(from), "%s/%s", part, name);
	snprintf(to, sizeof(to), "tmp/gone-%s", name);
	path_remove_tree(store, to, NULL);
	if (renameat(store, from, store, to) < 0)
		return err_sys(e, "remove \"%s\" of the image store", from);
	return 0;
}

static int sweep(int store, const char *part, const struct needed *needed, struct err *e)
{
	autodir DIR *d = NULL;
	int fd = openat(store, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int rc = 0;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err_sys(e, "image store: open \"%s\"", part);
	while (!rc && (entry = readdir(d))) {
		const char *name = entry->d_name;

		if (*name != '.' && !(needed->count && bsearch(name, needed->hex, needed->count,
							       sizeof(*needed->hex), compare)))
			rc = move_away(store, part, name, e);
	}
	return rc;
}

static int sweep_all(const struct store *s, const char *dir, struct err *e)
{
	struct needed blobs = { 0 }, layers = { 0 };
	autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? err_sys(e, "image store \"%s\"", dir) : 0;

	for (size_t i = 0; i < store_count(s); i++)
		need_image(s, store_image(s, i), &blobs, &layers);
	if (!rc && (blobs.failed || layers.failed))
		rc = err_set(e, -ENOMEM, "out of memory");
	if (blobs.count)
		qsort(blobs.hex, blobs.count, sizeof(*blobs.hex), compare);
	if (layers.count)
		qsort(layers.hex, layers.count, sizeof(*layers.hex), compare);
	if (!rc)
		rc = sweep(fd, "layers", &layers, e);
	if (!rc)
		rc = sweep(fd, "blobs/sha256", &blobs, e);
	free(blobs.hex);
	free(layers.hex);
	return rc;
}

/* A damaged image's layers are not known: they go, and a pull brings all of it anew. */
int keep_collect(const char *dir, struct err *e)
{
	struct store *s = NULL;
	int rc = keep_prepare(dir, e);

	if (!rc)
		rc = store_open(&s, &dir, 1, e);
	if (!rc)
		rc = sweep_all(s, dir, e);
	store_close(s);
	return rc;
}
