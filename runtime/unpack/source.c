#include "unpack/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "unpack/docker.h"
#include "unpack/tree.h"

struct source {
	int root;            /* the layout's or the unpacked archive's directory */
	int scratch;         /* -1: `path` was a directory */
};

static const char oci_manifest_type[] = "application/vnd.oci.image.manifest.v1+json";
static const char scratch_name[] = "source";

enum { NESTED_INDEXES_MAX = 4 };

void source_close(struct source *s)
{
	if (!s)
		return;
	cleanup_fd(&s->root);
	if (s->scratch >= 0)
		path_remove_tree(s->scratch, scratch_name, NULL);
	free(s);
}

void source_image_free(struct source_image *image)
{
	for (size_t i = 0; image->layer_paths && i < image->diff_ids.count; i++)
		free(image->layer_paths[i]);
	free(image->layer_paths);
	free(image->layers);
	diff_ids_free(&image->diff_ids);
	free(image->manifest);
	free(image->config);
	*image = (struct source_image){ 0 };
}

static int copy_data(struct archive *a, int fd, struct err *e)
{
	for (;;) {
		const void *data;
		la_int64_t offset;
		size_t len;
		int rc = archive_read_data_block(a, &data, &len, &offset);

		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return err_set(e, -EBADMSG, "the archive is damaged: %s", archive_error_string(a));
		if (pwrite(fd, data, len, offset) != (ssize_t)len)
			return err_sys(e, "unpack the archive");
	}
}

/* Only files, and symlinks between them (old docker-save archives share layers so); reading them
 * later never leaves the directory, whatever they say. */
static int extract_entry(struct source *s, struct archive *a, struct archive_entry *entry,
			 struct err *e)
{
	char path[TREE_PATH_MAX], *slash;
	const char *raw = archive_entry_pathname(entry), *target = archive_entry_symlink(entry);
	autoclose int dir = -1, fd = -1;
	int rc = raw ? tree_clean(raw, path, e) : -EINVAL;

	if (rc < 0)
		return rc;
	if (archive_entry_filetype(entry) != AE_IFREG && archive_entry_filetype(entry) != AE_IFLNK)
		return 0;
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	dir = path_mkdirs_in(s->root, slash ? path : ".", 0700, e);
	if (dir < 0)
		return dir;
	if (target)
		return symlinkat(target, dir, slash ? slash + 1 : path) < 0 ?
			       err_sys(e, "unpack the archive") : 0;
	fd = openat(dir, slash ? slash + 1 : path,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "unpack \"%.200s\"", raw);
	return copy_data(a, fd, e);
}

static void cleanup_archive(struct archive **a)
{
	archive_read_free(*a);
}

static int extract(struct source *s, const char *path, struct err *e)
{
	__attribute__((cleanup(cleanup_archive))) struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int rc;

	if (!a)
		return err_set(e, -ENOMEM, "out of memory");
	archive_read_support_format_tar(a);
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_zstd(a);
	if (archive_read_open_filename(a, path, 65536) != ARCHIVE_OK)
		return err_set(e, -EIO, "%s", archive_error_string(a));
	while ((rc = archive_read_next_header(a, &entry)) != ARCHIVE_EOF) {
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return err_set(e, -EBADMSG, "is no tar archive, or a damaged one: %s",
				       archive_error_string(a));
		rc = extract_entry(s, a, entry, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int source_open(struct source **out, const char *path, int scratch, struct err *e)
{
	struct source *s;
	struct stat st;
	int rc = 0;

	if (stat(path, &st) < 0)
		return err_sys(e, "open \"%s\"", path);
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, -ENOMEM, "out of memory");
	s->scratch = s->root = -1;
	if (S_ISDIR(st.st_mode)) {
		s->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		s->scratch = scratch;
		path_remove_tree(scratch, scratch_name, NULL);
		if (mkdirat(scratch, scratch_name, 0700) == 0)
			s->root = openat(scratch, scratch_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (s->root < 0)
		rc = err_sys(e, "open \"%s\"", path);
	if (!rc && s->scratch >= 0) {
		rc = extract(s, path, e);
		if (rc < 0)
			err_prefix(e, "\"%s\"", path);
	}
	if (rc < 0) {
		source_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

static int read_file(struct source *s, const char *path, size_t max_bytes, char **text, size_t *len,
		     struct err *e)
{
	autoclose int fd = path_open_in(s->root, path, O_RDONLY | O_NONBLOCK, 0, e);
	autobuf struct buf b = { 0 };
	int rc = fd < 0 ? fd : file_read_fd(fd, max_bytes, &b, e);

	if (rc < 0)
		return rc;
	*len = b.len;
	*text = buf_take(&b);
	return *text ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static char *blob_path(const char *digest, char out[128])
{
	snprintf(out, 128, "blobs/sha256/%s", digest_hex(digest));
	return out;
}

static int read_blob(struct source *s, const char *what, const char *digest, size_t max_bytes,
		     char **text, size_t *len, struct err *e)
{
	char path[128], sum[SHA256_HEX_MAX];
	int rc = read_file(s, blob_path(digest, path), max_bytes, text, len, e);

	if (!rc && strcmp(sha256_hex(*text, *len, sum), digest_hex(digest)) != 0)
		rc = err_set(e, -EBADMSG, "its content has the digest sha256:%s", sum);
	if (rc < 0) {
		err_prefix(e, "%s %s", what, digest);
		free(take_ptr(*text));
	}
	return rc;
}

/* Does this entry bear the name that is asked for? Layouts say "latest" or the full reference. */
static bool entry_named(const struct descriptor *d, const struct ref *ref)
{
	const char *names[] = { d->image_name, d->ref_name };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct ref have;

		if (!names[i])
			continue;
		if (!strcmp(names[i], ref->tag))
			return true;
		if (!ref_parse(&have, names[i], NULL) && !memcmp(&have, ref, sizeof(have)))
			return true;
	}
	return *ref->digest && !strcmp(d->digest, ref->digest);
}

static const struct descriptor *choose(const struct index *index, const struct ref *ref,
				       const char *platform)
{
	if (ref)
		for (size_t i = 0; i < index->count; i++)
			if (entry_named(&index->entries[i], ref))
				return &index->entries[i];
	if (ref && index->count == 1)
		return &index->entries[0];
	return index_pick(index, platform);
}

static int no_such_entry(const struct index *index, const char *platform, struct err *e)
{
	autobuf struct buf names = { 0 };

	for (size_t i = 0; i < index->count && names.len < 200; i++) {
		const struct descriptor *d = &index->entries[i];
		const char *name = d->image_name ? d->image_name : d->ref_name;

		buf_addf(&names, "%s%s", i ? ", " : "", name ? name : d->digest);
		if (*d->architecture)
			buf_addf(&names, " (%s/%s)", d->os, d->architecture);
	}
	return err_set(e, -ENOENT, "the index holds no image of that name for %s; it holds: %s", platform,
		       index->count ? buf_text(&names) : "nothing");
}

/* Follows indexes down to a manifest's descriptor, given in `out`. */
static int find_manifest(struct source *s, const struct ref *ref, const char *platform,
			 char **text, size_t *len, char out[REF_DIGEST_MAX], struct err *e)
{
	char *json = NULL;
	size_t json_len = 0;
	int rc = read_file(s, "index.json", MANIFEST_MAX_BYTES, &json, &json_len, e);

	for (int depth = 0; !rc && document_kind(json, json_len) != MEDIA_MANIFEST; depth++) {
		struct index index = { 0 };
		const struct descriptor *d;

		if (depth == NESTED_INDEXES_MAX)
			rc = err_set(e, -ELOOP, "indexes are nested deeper than %d", depth);
		if (!rc && index_parse(&index, json, json_len, e) < 0) {
			rc = -EINVAL;
			err_prefix(e, "%s", depth ? "image index" : "\"index.json\"");
		}
		free(take_ptr(json));
		d = rc ? NULL : choose(&index, depth ? NULL : ref, platform);
		if (!rc && !d)
			rc = no_such_entry(&index, platform, e);
		if (!rc && d->kind != MEDIA_MANIFEST && d->kind != MEDIA_INDEX)
			rc = err_set(e, -EINVAL, "%s is of type \"%s\": expected an image manifest or index",
				     d->digest, d->media_type);
		if (!rc) {
			strcpy(out, d->digest);
			rc = read_blob(s, "manifest", d->digest, MANIFEST_MAX_BYTES, &json, &json_len, e);
		}
		index_free(&index);
	}
	if (rc < 0) {
		free(json);
		return rc;
	}
	*text = json;
	*len = json_len;
	return 0;
}

static int add_layers(struct source_image *image, const struct manifest *m, struct err *e)
{
	char path[128];

	image->layers = calloc(m->layer_count ? m->layer_count : 1, sizeof(*image->layers));
	image->layer_paths = calloc(m->layer_count ? m->layer_count : 1, sizeof(char *));
	if (!image->layers || !image->layer_paths)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct descriptor *d = &m->layers[i];

		if (d->kind != MEDIA_LAYER)
			return err_set(e, -EINVAL, "layer %s: its type is \"%s\": %s", d->digest,
				       d->media_type, d->kind == MEDIA_LAYER_FOREIGN ?
				       "a foreign layer is not in the image and cannot be embedded" :
				       "expected a tar layer, plain, gzip or zstd");
		image->layers[i] = *d;
		image->layer_paths[i] = strdup(blob_path(d->digest, path));
		if (!image->layer_paths[i])
			return err_set(e, -ENOMEM, "out of memory");
	}
	return 0;
}

static int find_oci(struct source *s, const struct ref *ref, const char *platform,
		    struct source_image *image, struct err *e)
{
	struct manifest m = { 0 };
	int rc = find_manifest(s, ref, platform, &image->manifest, &image->manifest_len,
			       image->manifest_digest, e);

	if (!rc) {
		rc = manifest_parse(&m, image->manifest, image->manifest_len, e);
		if (rc < 0)
			err_prefix(e, "manifest %s", image->manifest_digest);
	}
	if (!rc && m.config.kind != MEDIA_CONFIG)
		rc = err_set(e, -EINVAL, "manifest %s: its config is of type \"%s\": expected a "
			     "container image's", image->manifest_digest, m.config.media_type);
	if (!rc) {
		strcpy(image->config_digest, m.config.digest);
		rc = read_blob(s, "config", image->config_digest, CONFIG_MAX_BYTES, &image->config,
			       &image->config_len, e);
	}
	if (!rc) {
		rc = diff_ids_parse(&image->diff_ids, image->config, image->config_len, e);
		if (rc < 0)
			err_prefix(e, "config %s", image->config_digest);
	}
	if (!rc && image->diff_ids.count != m.layer_count)
		rc = err_set(e, -EINVAL, "manifest %s lists %zu layers, its config %zu",
			     image->manifest_digest, m.layer_count, image->diff_ids.count);
	snprintf(image->manifest_type, sizeof(image->manifest_type), "%s",
		 *m.media_type ? m.media_type : oci_manifest_type);
	if (!rc)
		rc = add_layers(image, &m, e);
	manifest_free(&m);
	return rc;
}

static int find_docker(struct source *s, const struct ref *ref, struct source_image *image,
		       struct err *e)
{
	struct docker_image found = { 0 };
	autofree char *text = NULL;
	char sum[SHA256_HEX_MAX];
	size_t len;
	int rc = read_file(s, "manifest.json", MANIFEST_MAX_BYTES, &text, &len, e);

	if (!rc)
		rc = docker_parse(&found, text, len, ref, e);
	if (!rc) {
		rc = read_file(s, found.config, CONFIG_MAX_BYTES, &image->config, &image->config_len, e);
		if (rc < 0)
			err_prefix(e, "config");
	}
	if (!rc) {
		snprintf(image->config_digest, sizeof(image->config_digest), "sha256:%s",
			 sha256_hex(image->config, image->config_len, sum));
		if (!strstr(found.config, sum))
			rc = err_set(e, -EBADMSG, "config \"%s\": its content has the digest sha256:%s",
				     found.config, sum);
	}
	if (!rc) {
		rc = diff_ids_parse(&image->diff_ids, image->config, image->config_len, e);
		if (rc < 0)
			err_prefix(e, "config \"%s\"", found.config);
	}
	if (!rc && image->diff_ids.count != found.layer_count)
		rc = err_set(e, -EINVAL, "\"manifest.json\" lists %zu layers, its config %zu",
			     found.layer_count, image->diff_ids.count);
	if (!rc) {
		image->layer_paths = take_ptr(found.layers);
		found.layer_count = 0;
		image->layers = calloc(image->diff_ids.count + 1, sizeof(*image->layers));
		if (!image->layers)
			rc = err_set(e, -ENOMEM, "out of memory");
	}
	docker_free(&found);
	return rc;
}

int source_find(struct source *s, const struct ref *ref, const char *platform,
		struct source_image *out, struct err *e)
{
	struct source_image image = { 0 };
	int rc;

	if (faccessat(s->root, "index.json", F_OK, 0) == 0)
		rc = find_oci(s, ref, platform, &image, e);
	else if (faccessat(s->root, "manifest.json", F_OK, 0) == 0)
		rc = find_docker(s, ref, &image, e);
	else
		rc = err_set(e, -ENOENT, "neither an OCI image layout (index.json) nor a docker-save "
			     "archive (manifest.json)");
	if (rc < 0) {
		source_image_free(&image);
		return rc;
	}
	*out = image;
	return 0;
}

int source_layer(struct source *s, const struct source_image *image, size_t i, struct err *e)
{
	autoclose int fd = path_open_in(s->root, image->layer_paths[i], O_RDONLY | O_NONBLOCK, 0, e);
	uint64_t expected = image->layers[i].size_bytes;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "\"%s\" is not a file", image->layer_paths[i]);
	if (*image->layers[i].digest && (uint64_t)st.st_size != expected)
		return err_set(e, -EBADMSG, "is %llu bytes long, the manifest says %llu%s",
			       (unsigned long long)st.st_size, (unsigned long long)expected,
			       (uint64_t)st.st_size < expected ? ": it was cut short" : "");
	return take_fd(&fd);
}
