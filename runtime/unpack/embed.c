#include "unpack/embed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "base/sha256.h"
#include "unpack/layer.h"
#include "unpack/source.h"
#include "unpack/tarout.h"

static const char store_root[] = "usr/share/berth/store";
static const char oci_manifest_type[] = "application/vnd.oci.image.manifest.v1+json";
static const char oci_config_type[] = "application/vnd.oci.image.config.v1+json";
static const char oci_layer_type[] = "application/vnd.oci.image.layer.v1.tar";

struct blob {
	char digest[REF_DIGEST_MAX];
	char *data;
	size_t len;
};

struct done_layer {
	char diff_id[REF_DIGEST_MAX];
	uint64_t files_bytes;
};

struct embedding {
	const struct embed *job;
	struct tarout *tar;
	int scratch;
	struct blob *blobs;
	size_t blob_count;
	struct done_layer *layers;
	size_t layer_count;
	struct buf index;         /* the entries of index.json */
	struct err *e;
};

static int out_of_memory(struct err *e)
{
	return err_set(e, -ENOMEM, "out of memory");
}

/* Takes `data` over, if it is not there already. */
static int add_blob(struct embedding *m, const char *digest, char **data, size_t len)
{
	struct blob *blobs;

	for (size_t i = 0; i < m->blob_count; i++)
		if (!strcmp(m->blobs[i].digest, digest))
			return 0;
	blobs = reallocarray(m->blobs, m->blob_count + 1, sizeof(*blobs));
	if (!blobs)
		return out_of_memory(m->e);
	m->blobs = blobs;
	strcpy(blobs[m->blob_count].digest, digest);
	blobs[m->blob_count].data = take_ptr(*data);
	blobs[m->blob_count].len = len;
	m->blob_count++;
	return 0;
}

static struct done_layer *find_layer(struct embedding *m, const char *diff_id)
{
	for (size_t i = 0; i < m->layer_count; i++)
		if (!strcmp(m->layers[i].diff_id, diff_id))
			return &m->layers[i];
	return NULL;
}

static int add_layer(struct embedding *m, const char *diff_id, uint64_t files_bytes)
{
	struct done_layer *layers = reallocarray(m->layers, m->layer_count + 1, sizeof(*layers));

	if (!layers)
		return out_of_memory(m->e);
	m->layers = layers;
	strcpy(layers[m->layer_count].diff_id, diff_id);
	layers[m->layer_count++].files_bytes = files_bytes;
	return 0;
}

/* A layer that another image brought is only read, for what it says of the next one's parents. */
static int embed_layer(struct embedding *m, struct source *source, struct source_image *image,
		       struct tree *tree, size_t i)
{
	struct descriptor *d = &image->layers[i];
	const char *diff_id = image->diff_ids.ids[i];
	struct sink sink = tarout_sink(m->tar);
	struct layer_result result;
	autoclose int fd = source_layer(source, image, i, m->e);
	bool known = find_layer(m, diff_id) != NULL;
	struct layer layer = {
		.fd = fd,
		.digest = *d->digest ? d->digest : NULL,
		.diff_id = diff_id,
		.tree = tree,
		.number = (int)i,
		.sink = known ? NULL : &sink,
	};
	char prefix[128];
	int rc = fd;

	snprintf(prefix, sizeof(prefix), "%s/layers/%s", store_root, digest_hex(diff_id));
	if (fd >= 0)
		rc = tarout_prefix(m->tar, prefix);
	if (rc >= 0)
		rc = layer_unpack(&layer, &result, m->e);
	if (rc < 0) {
		err_prefix(m->e, "layer %zu, %s", i + 1,
			   *d->digest ? d->digest : image->layer_paths[i]);
		return rc;
	}
	if (!*d->digest) {
		strcpy(d->digest, result.sums.blob);
		d->size_bytes = result.sums.blob_bytes;
	}
	return known ? 0 : add_layer(m, diff_id, result.files_bytes);
}

static void add_descriptor(struct buf *b, const char *type, const char *digest, uint64_t size)
{
	buf_addf(b, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%" PRIu64 "}", type, digest, size);
}

/* An old docker-save archive has no manifest: it gets the one that a registry would be sent. */
static int make_manifest(struct embedding *m, struct source_image *image)
{
	autobuf struct buf b = { 0 };
	char sum[SHA256_HEX_MAX];

	buf_addf(&b, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":", oci_manifest_type);
	add_descriptor(&b, oci_config_type, image->config_digest, image->config_len);
	buf_adds(&b, ",\"layers\":[");
	for (size_t i = 0; i < image->diff_ids.count; i++) {
		buf_adds(&b, i ? "," : "");
		add_descriptor(&b, oci_layer_type, image->layers[i].digest, image->layers[i].size_bytes);
	}
	buf_adds(&b, "]}");
	if (!buf_ok(&b))
		return out_of_memory(m->e);
	snprintf(image->manifest_digest, sizeof(image->manifest_digest), "sha256:%s",
		 sha256_hex(b.data, b.len, sum));
	strcpy(image->manifest_type, oci_manifest_type);
	image->manifest_len = b.len;
	image->manifest = buf_take(&b);
	return 0;
}

static void add_index_entry(struct embedding *m, const struct source_image *image, const char *ref)
{
	struct buf *b = &m->index;

	buf_adds(b, b->len ? ",\n  " : "\n  ");
	buf_adds(b, "{\"mediaType\":");
	buf_add_json_string(b, image->manifest_type, strlen(image->manifest_type));
	buf_addf(b, ",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"berth.layer-sizes\":\"",
		 image->manifest_digest, image->manifest_len);
	for (size_t i = 0; i < image->diff_ids.count; i++)
		buf_addf(b, "%s%" PRIu64, i ? "," : "",
			 find_layer(m, image->diff_ids.ids[i])->files_bytes);
	/* A reference has no character that JSON would escape. */
	buf_addf(b, "\",\"org.opencontainers.image.ref.name\":\"%s\"}}", ref);
}

static void report(struct embedding *m, const struct source_image *image, const char *ref)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < image->diff_ids.count; i++)
		bytes += find_layer(m, image->diff_ids.ids[i])->files_bytes;
	printf("%s: %zu layer%s, %.1f MB, %s\n", ref, image->diff_ids.count,
	       image->diff_ids.count == 1 ? "" : "s", (double)bytes / 1e6, image->manifest_digest);
}

static int embed_found(struct embedding *m, struct source *source, struct source_image *image,
		       const char *ref)
{
	struct tree *tree;
	int rc = 0;

	if (tree_new(&tree) < 0)
		return out_of_memory(m->e);
	for (size_t i = 0; !rc && i < image->diff_ids.count; i++)
		rc = embed_layer(m, source, image, tree, i);
	tree_free(tree);
	if (!rc && !image->manifest)
		rc = make_manifest(m, image);
	if (rc < 0)
		return rc;
	add_index_entry(m, image, ref);
	report(m, image, ref);
	rc = add_blob(m, image->manifest_digest, &image->manifest, image->manifest_len);
	return rc ? rc : add_blob(m, image->config_digest, &image->config, image->config_len);
}

static int embed_one(struct embedding *m, const struct embed_image *wanted)
{
	struct source *source = NULL;
	struct source_image image = { 0 };
	struct ref ref;
	char full[REF_TEXT_MAX];
	int rc = ref_parse(&ref, wanted->ref, m->e);

	if (rc < 0)
		return rc;
	ref_full(&ref, full);
	rc = source_open(&source, wanted->path, m->scratch, m->e);
	if (!rc)
		rc = source_find(source, &ref, m->job->platform, &image, m->e);
	if (!rc)
		rc = embed_found(m, source, &image, full);
	if (rc < 0)
		err_prefix(m->e, "image \"%s\" from \"%s\"", full, wanted->path);
	source_image_free(&image);
	source_close(source);
	return rc;
}

static int compare_blobs(const void *a, const void *b)
{
	return strcmp(((const struct blob *)a)->digest, ((const struct blob *)b)->digest);
}

static int write_blobs(struct embedding *m)
{
	int rc = tarout_dir(m->tar, "blobs", m->e);

	if (!rc)
		rc = tarout_dir(m->tar, "blobs/sha256", m->e);
	if (m->blob_count)
		qsort(m->blobs, m->blob_count, sizeof(*m->blobs), compare_blobs);
	for (size_t i = 0; !rc && i < m->blob_count; i++) {
		char path[128];

		snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(m->blobs[i].digest));
		rc = tarout_file(m->tar, path, m->blobs[i].data, m->blobs[i].len, m->e);
	}
	return rc;
}

static int write_index(struct embedding *m)
{
	autobuf struct buf b = { 0 };

	buf_addf(&b, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
		 "\"manifests\":[%s\n]}\n", buf_text(&m->index));
	if (!buf_ok(&b) || m->index.failed)
		return out_of_memory(m->e);
	return tarout_file(m->tar, "index.json", b.data, b.len, m->e);
}

static int compare_images(const void *a, const void *b)
{
	return strcmp(((const struct embed_image *)a)->ref, ((const struct embed_image *)b)->ref);
}

static int write_store(struct embedding *m)
{
	const struct embed *job = m->job;
	int rc = tarout_prefix(m->tar, store_root);

	if (!rc)
		rc = tarout_dir(m->tar, "", m->e);
	if (!rc)
		rc = tarout_dir(m->tar, "layers", m->e);
	if (job->count)
		qsort(job->images, job->count, sizeof(*job->images), compare_images);
	for (size_t i = 0; !rc && i < job->count; i++) {
		if (i && !strcmp(job->images[i].ref, job->images[i - 1].ref))
			rc = err_set(m->e, -EEXIST, "image \"%s\" is named twice", job->images[i].ref);
		else
			rc = embed_one(m, &job->images[i]);
	}
	if (rc < 0)
		return rc;
	tarout_prefix(m->tar, store_root);
	rc = write_blobs(m);
	if (!rc)
		rc = write_index(m);
	return rc ? rc : tarout_end(m->tar, m->e);
}

static int embed_to(const struct embed *job, int fd, const char *scratch, struct err *e)
{
	autoclose int scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct embedding m = { .job = job, .scratch = scratch_fd, .e = e };
	int rc;

	if (scratch_fd < 0)
		return err_sys(e, "open \"%s\"", scratch);
	rc = tarout_new(&m.tar, fd, e);
	if (!rc)
		rc = write_store(&m);
	tarout_free(m.tar);
	for (size_t i = 0; i < m.blob_count; i++)
		free(m.blobs[i].data);
	free(m.blobs);
	free(m.layers);
	buf_free(&m.index);
	return rc;
}

int embed_images(const struct embed *job, struct err *e)
{
	autofree char *part = NULL, *scratch = NULL;
	autoclose int fd = -1;
	struct err ignored;
	int rc;

	if (asprintf(&part, "%s.part", job->out) < 0)
		return out_of_memory(e);
	if (asprintf(&scratch, "%s.scratch-XXXXXX", job->out) < 0 || !mkdtemp(scratch))
		return err_sys(e, "make a directory beside \"%s\"", job->out);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	rc = fd < 0 ? err_sys(e, "open \"%s\"", part) : embed_to(job, fd, scratch, e ? e : &ignored);
	path_remove_tree(AT_FDCWD, scratch, NULL);
	if (!rc && rename(part, job->out) < 0)
		rc = err_sys(e, "write \"%s\"", job->out);
	if (rc < 0)
		unlink(part);
	return rc;
}
