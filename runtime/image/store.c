#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/sha256.h"
#include "image/manifest.h"

struct source {
	char *dir;
	int fd; /* -1: the store does not exist */
};

struct store {
	struct source *sources;
	size_t source_count;
	struct image **images;
	size_t image_count;
};

static void image_free(struct image *image)
{
	for (size_t i = 0; i < image->ref_count; i++)
		free(image->refs[i]);
	free(image->refs);
	free(image->layers);
	free(image->fault);
	free(image);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->image_count; i++)
		image_free(s->images[i]);
	for (size_t i = 0; i < s->source_count; i++) {
		free(s->sources[i].dir);
		cleanup_fd(&s->sources[i].fd);
	}
	free(s->images);
	free(s->sources);
	free(s);
}

static void cleanup_store(struct store **s)
{
	store_close(*s);
}

static int out_of_memory(struct err *e)
{
	return err_set(e, -ENOMEM, "image store: out of memory");
}

/* A blob that is not what its name says is damage (a power cut, a bad disk), never content. */
static int read_blob(const struct store *s, int source, const char *digest, size_t max_bytes,
		     struct buf *out, struct err *e)
{
	char path[128], sum[SHA256_HEX_MAX];
	int rc;

	snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(digest));
	rc = file_read_at(s->sources[source].fd, path, max_bytes, out, e);
	/* One store's index may give a name to an image of another one. */
	for (size_t i = 0; rc == -ENOENT && i < s->source_count; i++)
		if ((int)i != source && s->sources[i].fd >= 0)
			rc = file_read_at(s->sources[i].fd, path, max_bytes, out, NULL);
	if (rc < 0)
		return rc;
	sha256_hex(buf_text(out), out->len, sum);
	if (strcmp(sum, digest_hex(digest)) != 0)
		return err_set(e, -EBADMSG, "blob %s is damaged: its content has the digest sha256:%s",
			       digest, sum);
	return 0;
}

static int read_layers(struct image *image, const struct diff_ids *ids, const char *sizes)
{
	image->layers = calloc(ids->count ? ids->count : 1, sizeof(*image->layers));
	if (!image->layers)
		return -ENOMEM;
	image->layer_count = ids->count;
	for (size_t i = 0; i < ids->count; i++) {
		char *end;

		strcpy(image->layers[i].diff_id, ids->ids[i]);
		if (!sizes)
			continue;
		image->layers[i].size_bytes = strtoull(sizes, &end, 10);
		image->size_bytes += image->layers[i].size_bytes;
		sizes = *end == ',' ? end + 1 : NULL;
	}
	return 0;
}

static int read_image(const struct store *s, struct image *image, const char *sizes, struct err *e)
{
	autobuf struct buf text = { 0 }, config = { 0 };
	struct manifest m = { 0 };
	struct diff_ids ids = { 0 };
	int rc = read_blob(s, image->store, image->digest, MANIFEST_MAX_BYTES, &text, e);

	if (rc < 0)
		return rc;
	rc = manifest_parse(&m, buf_text(&text), text.len, e);
	if (rc < 0) {
		err_prefix(e, "manifest %s", image->digest);
		return rc;
	}
	strcpy(image->id, m.config.digest);
	rc = read_blob(s, image->store, image->id, CONFIG_MAX_BYTES, &config, e);
	if (!rc) {
		rc = diff_ids_parse(&ids, buf_text(&config), config.len, e);
		if (rc < 0)
			err_prefix(e, "config %s", image->id);
	}
	if (!rc && ids.count != m.layer_count)
		rc = err_set(e, -EINVAL, "manifest %s lists %zu layers and its config %zu",
			     image->digest, m.layer_count, ids.count);
	if (!rc && read_layers(image, &ids, sizes) < 0)
		rc = out_of_memory(e);
	diff_ids_free(&ids);
	manifest_free(&m);
	return rc;
}

static struct image *find_digest(const struct store *s, const char *digest)
{
	for (size_t i = 0; i < s->image_count; i++)
		if (!strcmp(s->images[i]->digest, digest))
			return s->images[i];
	return NULL;
}

static struct image *find_ref(const struct store *s, const char *full)
{
	for (size_t i = 0; i < s->image_count; i++)
		for (size_t k = 0; k < s->images[i]->ref_count; k++)
			if (!strcmp(s->images[i]->refs[k], full))
				return s->images[i];
	return NULL;
}

static int compare_refs(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_ref(struct image *image, const char *full)
{
	char **refs = reallocarray(image->refs, image->ref_count + 1, sizeof(*refs));
	char *copy = strdup(full);

	if (refs)
		image->refs = refs;
	if (!refs || !copy) {
		free(copy);
		return -ENOMEM;
	}
	refs[image->ref_count++] = copy;
	qsort(refs, image->ref_count, sizeof(*refs), compare_refs);
	return 0;
}

static struct image *add_image(struct store *s, int source, const struct descriptor *d)
{
	struct image **images = reallocarray(s->images, s->image_count + 1, sizeof(*images));
	struct image *image = calloc(1, sizeof(*image));
	struct err why = { 0 };

	if (images)
		s->images = images;
	if (!images || !image) {
		free(image);
		return NULL;
	}
	image->store = source;
	strcpy(image->digest, d->digest);
	images[s->image_count++] = image;
	/* Its fault stays with the image: the others are still good. */
	if (read_image(s, image, d->layer_sizes, &why) < 0)
		image->fault = strdup(why.text);
	return image;
}

static int add_entry(struct store *s, int source, const struct descriptor *d)
{
	struct image *image = find_digest(s, d->digest);
	struct ref ref;
	char full[REF_TEXT_MAX];

	if (!image)
		image = add_image(s, source, d);
	if (!image)
		return -ENOMEM;
	if (!d->ref_name || ref_parse(&ref, d->ref_name, NULL) < 0)
		return 0;
	ref_full(&ref, full);
	return find_ref(s, full) ? 0 : add_ref(image, full);
}

static int read_index(struct store *s, int source, struct err *e)
{
	autobuf struct buf text = { 0 };
	struct index index = { 0 };
	int rc = file_read_at(s->sources[source].fd, "index.json", MANIFEST_MAX_BYTES, &text, e);

	if (rc == -ENOENT)
		return 0;
	if (!rc) {
		rc = index_parse(&index, buf_text(&text), text.len, e);
		if (rc < 0)
			err_prefix(e, "\"index.json\"");
	}
	for (size_t i = 0; !rc && i < index.count; i++)
		if (add_entry(s, source, &index.entries[i]) < 0)
			rc = out_of_memory(e);
	index_free(&index);
	if (rc < 0)
		err_prefix(e, "image store \"%s\"", s->sources[source].dir);
	return rc;
}

static int open_source(struct store *s, const char *dir, struct err *e)
{
	struct source *source = &s->sources[s->source_count];

	source->dir = strdup(dir);
	if (!source->dir)
		return out_of_memory(e);
	source->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->source_count++;
	if (source->fd < 0 && errno != ENOENT)
		return err_sys(e, "image store \"%s\"", dir);
	return 0;
}

static int compare_images(const void *a, const void *b)
{
	const struct image *x = *(struct image *const *)a, *y = *(struct image *const *)b;

	/* Images that nothing names come last, by their digest. */
	if (x->ref_count && y->ref_count)
		return strcmp(x->refs[0], y->refs[0]);
	if (x->ref_count || y->ref_count)
		return x->ref_count ? -1 : 1;
	return strcmp(x->digest, y->digest);
}

/* An index may not know the size of a layer that another one brought. */
static uint64_t size_elsewhere(const struct store *s, const char *diff_id)
{
	for (size_t i = 0; i < s->image_count; i++)
		for (size_t k = 0; k < s->images[i]->layer_count; k++)
			if (s->images[i]->layers[k].size_bytes &&
			    !strcmp(s->images[i]->layers[k].diff_id, diff_id))
				return s->images[i]->layers[k].size_bytes;
	return 0;
}

static void borrow_sizes(struct store *s)
{
	for (size_t i = 0; i < s->image_count; i++) {
		struct image *image = s->images[i];

		for (size_t k = 0; k < image->layer_count; k++) {
			struct image_layer *layer = &image->layers[k];

			if (layer->size_bytes)
				continue;
			layer->size_bytes = size_elsewhere(s, layer->diff_id);
			image->size_bytes += layer->size_bytes;
		}
	}
}

int store_open(struct store **out, const char *const *dirs, size_t dir_count, struct err *e)
{
	__attribute__((cleanup(cleanup_store))) struct store *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return out_of_memory(e);
	s->sources = calloc(dir_count ? dir_count : 1, sizeof(*s->sources));
	if (!s->sources)
		return out_of_memory(e);
	for (size_t i = 0; i < dir_count; i++) {
		rc = open_source(s, dirs[i], e);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < s->source_count; i++) {
		rc = s->sources[i].fd < 0 ? 0 : read_index(s, (int)i, e);
		if (rc < 0)
			return rc;
	}
	borrow_sizes(s);
	if (s->image_count)
		qsort(s->images, s->image_count, sizeof(struct image *), compare_images);
	*out = take_ptr(s);
	return 0;
}

size_t store_count(const struct store *s)
{
	return s->image_count;
}

const struct image *store_image(const struct store *s, size_t i)
{
	return s->images[i];
}

/* "nginx@sha256:..." is the manifest of that digest, if we know it under that name. */
static const struct image *find_pinned(const struct store *s, const struct ref *wanted)
{
	const struct image *image = find_digest(s, wanted->digest);
	struct ref have;
	char full[REF_TEXT_MAX];

	have = *wanted;
	*have.tag = '\0';
	/* The digest of an index, under which its image is known as well. */
	if (!image)
		return find_ref(s, ref_full(&have, full));
	for (size_t i = 0; image && i < image->ref_count; i++)
		if (!ref_parse(&have, image->refs[i], NULL) && !strcmp(have.domain, wanted->domain) &&
		    !strcmp(have.path, wanted->path))
			return image;
	return NULL;
}

/* -ENOENT, -EINVAL when several images' IDs begin so, or 0. */
static int find_id(const struct store *s, const char *hex, const struct image **out)
{
	const struct image *found = NULL;

	if (!*hex || strspn(hex, "0123456789abcdef") != strlen(hex))
		return -ENOENT;
	for (size_t i = 0; i < s->image_count; i++) {
		const struct image *image = s->images[i];

		if (!*image->id || strncmp(digest_hex(image->id), hex, strlen(hex)) != 0)
			continue;
		if (found && strcmp(found->id, image->id) != 0)
			return -EINVAL;
		if (!found)
			found = image;
	}
	*out = found;
	return found ? 0 : -ENOENT;
}

int store_find(const struct store *s, const char *name, const struct image **out, struct err *e)
{
	const struct image *image = NULL;
	struct err why = { 0 };
	struct ref ref;
	char text[REF_TEXT_MAX];
	bool is_ref = !digest_valid(name) && ref_parse(&ref, name, &why) == 0;
	int rc = 0;

	if (is_ref)
		image = *ref.digest ? find_pinned(s, &ref) : find_ref(s, ref_full(&ref, text));
	if (!image && digest_valid(name))
		image = find_digest(s, name);
	if (!image)
		rc = find_id(s, strncmp(name, "sha256:", 7) ? name : digest_hex(name), &image);
	if (rc == -EINVAL)
		return err_set(e, rc, "image ID \"%s\" is ambiguous: give more of its digits", name);
	if (!image && !is_ref && !digest_valid(name) && strlen(name) != 64)
		return err_set(e, -EINVAL, "%s", why.text);
	if (!image)
		return err_set(e, -ENOENT, "No such image: %s",
			       is_ref ? ref_familiar(&ref, text) : name);
	if (image->fault)
		return err_set(e, -EBADMSG, "image \"%s\" is damaged: %s", name, image->fault);
	*out = image;
	return 0;
}

static int blob_text(const struct store *s, const struct image *image, const char *digest,
		     size_t max_bytes, char **text, size_t *len, struct err *e)
{
	autobuf struct buf b = { 0 };
	int rc = read_blob(s, image->store, digest, max_bytes, &b, e);

	if (rc < 0)
		return rc;
	*len = b.len;
	*text = buf_take(&b);
	return *text ? 0 : out_of_memory(e);
}

int image_config(const struct store *s, const struct image *image, char **text, size_t *len,
		 struct err *e)
{
	return blob_text(s, image, image->id, CONFIG_MAX_BYTES, text, len, e);
}

int image_manifest(const struct store *s, const struct image *image, char **text, size_t *len,
		   struct err *e)
{
	return blob_text(s, image, image->digest, MANIFEST_MAX_BYTES, text, len, e);
}

int image_layer_dir(const struct store *s, const struct image *image, size_t i, char **dir,
		    struct err *e)
{
	const char *diff_id = image->layers[i].diff_id;
	char path[128];

	snprintf(path, sizeof(path), "layers/%s", digest_hex(diff_id));
	for (size_t k = 0; k < s->source_count; k++) {
		if (s->sources[k].fd < 0 || faccessat(s->sources[k].fd, path, F_OK, 0) < 0)
			continue;
		if (asprintf(dir, "%s/%s", s->sources[k].dir, path) < 0)
			return out_of_memory(e);
		return 0;
	}
	return err_set(e, -ENOENT, "image layer %s is in no store", diff_id);
}
