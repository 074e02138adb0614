#include "image/keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "image/store.h"

enum { INDEX_MODE = 0644 };

static void cleanup_index(struct index *i)
{
	index_free(i);
}

#define autoindex __attribute__((cleanup(cleanup_index)))

int keep_prepare(const char *dir, struct err *e)
{
	static const char *const parts[] = { "blobs/sha256", "layers", "tmp" };
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(parts); i++) {
		autofree char *path = NULL;

		if (asprintf(&path, "%s/%s", dir, parts[i]) < 0)
			return err_set(e, -ENOMEM, "out of memory");
		/* Files of an image may be set-uid: nobody of the host gets at them. */
		rc = path_mkdirs(path, 0700, e);
	}
	return rc;
}

int keep_blob(int dir, const char *digest)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(digest));
	fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The index as it is; an absent one is empty. Returns the directory's fd or -errno. */
static int read_index(const char *dir, struct index *out, struct err *e)
{
	autobuf struct buf text = { 0 };
	autoclose int fd = -1;
	int rc = keep_prepare(dir, e);

	if (rc < 0)
		return rc;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "image store \"%s\"", dir);
	rc = file_read_at(fd, "index.json", MANIFEST_MAX_BYTES, &text, e);
	if (!rc)
		rc = index_parse(out, buf_text(&text), text.len, e);
	if (rc < 0 && rc != -ENOENT) {
		err_prefix(e, "image store \"%s\"", dir);
		return rc;
	}
	/* One more entry always has a place. */
	out->entries = reallocarray(out->entries, out->count + 1, sizeof(*out->entries));
	return out->entries ? take_fd(&fd) : err_set(e, -ENOMEM, "out of memory");
}

static void add_annotation(struct buf *b, const char *key, const char *value, const char *comma)
{
	if (!value)
		return;
	buf_addf(b, "%s\"%s\":", comma, key);
	buf_add_json_string(b, value, strlen(value));
}

static int write_index(int dir, const struct index *index, struct err *e)
{
	autobuf struct buf b = { 0 };

	buf_adds(&b, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
		 "\"manifests\":[");
	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *d = &index->entries[i];

		buf_adds(&b, i ? ",\n  {\"mediaType\":" : "\n  {\"mediaType\":");
		buf_add_json_string(&b, d->media_type, strlen(d->media_type));
		buf_addf(&b, ",\"digest\":\"%s\",\"size\":%" PRIu64 ",\"annotations\":{", d->digest,
			 d->size_bytes);
		add_annotation(&b, "berth.layer-sizes", d->layer_sizes, "");
		add_annotation(&b, "org.opencontainers.image.ref.name", d->ref_name,
			       d->layer_sizes ? "," : "");
		buf_adds(&b, "}}");
	}
	buf_adds(&b, "\n]}\n");
	if (!buf_ok(&b))
		return err_set(e, -ENOMEM, "out of memory");
	return file_replace_at(dir, "index.json", b.data, b.len, INDEX_MODE, e);
}

static void drop_entry(struct index *index, size_t i)
{
	struct descriptor *d = &index->entries[i];

	free(d->ref_name);
	free(d->image_name);
	free(d->layer_sizes);
	index->count--;
	memmove(d, d + 1, (index->count - i) * sizeof(*d));
}

static bool has_other(const struct index *index, size_t i)
{
	for (size_t k = 0; k < index->count; k++)
		if (k != i && !strcmp(index->entries[k].digest, index->entries[i].digest))
			return true;
	return false;
}

/* The entry loses its name, and goes when it is not the image's last one. */
static void unname_entry(struct index *index, size_t i)
{
	if (has_other(index, i))
		drop_entry(index, i);
	else
		free(take_ptr(index->entries[i].ref_name));
}

static struct descriptor *find_name(const struct index *index, const char *ref)
{
	for (size_t i = 0; i < index->count; i++)
		if (index->entries[i].ref_name && !strcmp(index->entries[i].ref_name, ref))
			return &index->entries[i];
	return NULL;
}

static int add_entry(struct index *index, const struct keep_image *image, const char *ref)
{
	struct descriptor d = { .size_bytes = image->size_bytes };

	if (index->count >= INDEX_ENTRIES_MAX)
		return -ENOSPC;
	snprintf(d.media_type, sizeof(d.media_type), "%s", image->media_type);
	snprintf(d.digest, sizeof(d.digest), "%s", image->digest);
	d.ref_name = ref ? strdup(ref) : NULL;
	d.layer_sizes = image->layer_sizes ? strdup(image->layer_sizes) : NULL;
	if ((ref && !d.ref_name) || (image->layer_sizes && !d.layer_sizes)) {
		free(d.ref_name);
		free(d.layer_sizes);
		return -ENOMEM;
	}
	index->entries[index->count++] = d;
	return 0;
}

/* What the image has no name for is in the way once it gets one. */
static void drop_nameless(struct index *index, const char *digest)
{
	for (size_t i = index->count; i--;)
		if (!index->entries[i].ref_name && !strcmp(index->entries[i].digest, digest))
			drop_entry(index, i);
}

int keep_name(const char *dir, const struct keep_image *image, const char *ref, struct err *e)
{
	autoindex struct index index = { 0 };
	autoclose int fd = read_index(dir, &index, e);
	struct descriptor *old = fd < 0 || !ref ? NULL : find_name(&index, ref);
	bool same = old && !strcmp(old->digest, image->digest);
	int rc;

	if (fd < 0)
		return fd;
	if (old && !same)
		unname_entry(&index, (size_t)(old - index.entries));
	else if (old)
		drop_entry(&index, (size_t)(old - index.entries));
	drop_nameless(&index, image->digest);
	rc = add_entry(&index, image, ref);
	if (rc < 0)
		return err_code(e, rc, "image store \"%s\": one image more", dir);
	/* An image whose other names are there already needs no nameless entry beside them. */
	if (!ref && has_other(&index, index.count - 1))
		drop_entry(&index, index.count - 1);
	rc = write_index(fd, &index, e);
	return rc < 0 ? rc : same;
}

int keep_unname(const char *dir, const char *ref, struct err *e)
{
	autoindex struct index index = { 0 };
	autoclose int fd = read_index(dir, &index, e);
	struct descriptor *d = fd < 0 ? NULL : find_name(&index, ref);

	if (fd < 0)
		return fd;
	if (!d)
		return err_set(e, -ENOENT, "No such image: %s", ref);
	unname_entry(&index, (size_t)(d - index.entries));
	return write_index(fd, &index, e);
}

int keep_forget(const char *dir, const char *digest, struct err *e)
{
	autoindex struct index index = { 0 };
	autoclose int fd = read_index(dir, &index, e);
	size_t before = fd < 0 ? 0 : index.count;

	if (fd < 0)
		return fd;
	for (size_t i = index.count; i--;)
		if (!strcmp(index.entries[i].digest, digest))
			drop_entry(&index, i);
	return index.count == before ? 0 : write_index(fd, &index, e);
}
