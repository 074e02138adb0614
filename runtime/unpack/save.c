#include "unpack/save.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/sha256.h"
#include "unpack/compose.h"
#include "unpack/layertar.h"
#include "unpack/session.h"
#include "unpack/summary.h"
#include "unpack/tarout.h"
#include "unpack/view.h"

enum { TOLD_MAX = 4 << 20 };

struct saving {
	struct blobs blobs;
	struct session session;
	struct tarout *tar;
	struct sink sink;
	struct buf index, manifests;  /* of the two lists at the end, while they grow */
	char (*put)[REF_DIGEST_MAX];               /* what is in blobs/ already */
	size_t put_count, made;                    /* made: archives of our own */
};

/* One image on its way out. */
struct image {
	struct buf manifest, config;
	char digest[REF_DIGEST_MAX], config_digest[REF_DIGEST_MAX], type[128];
	struct compose_layer *layers;
	size_t count;
};

static void free_image(struct image *image)
{
	buf_free(&image->manifest);
	buf_free(&image->config);
	free(image->layers);
}

/* ---- blobs ---- */

/* False: it is there already. */
static bool note_put(struct saving *s, const char *digest)
{
	void *more;

	for (size_t i = 0; i < s->put_count; i++)
		if (!strcmp(s->put[i], digest))
			return false;
	more = reallocarray(s->put, s->put_count + 1, sizeof(*s->put));
	if (more) {
		s->put = more;
		strcpy(s->put[s->put_count++], digest);
	}
	return true;
}

static int put_document(struct saving *s, const char *digest, const struct buf *text, struct err *e)
{
	char path[128];

	if (!note_put(s, digest))
		return 0;
	snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(digest));
	return tarout_file(s->tar, path, text->data, text->len, e);
}

static int put_archive(struct saving *s, const struct compose_layer *layer, int fd, struct err *e)
{
	static char piece[64 * 1024];
	struct entry *entry;
	uint64_t left = layer->bytes;
	int rc;

	if (!note_put(s, layer->digest))
		return 0;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return err_set(e, -ENOMEM, "out of memory");
	*entry = (struct entry){ .kind = ENTRY_FILE, .mode = 0644, .size_bytes = left };
	snprintf(entry->path, sizeof(entry->path), "blobs/sha256/%s", digest_hex(layer->digest));
	rc = s->sink.entry(s->sink.ctx, entry, e);
	free(entry);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "layer %s", layer->digest);
	while (!rc && left) {
		ssize_t n = read(fd, piece, left < sizeof(piece) ? (size_t)left : sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? err_sys(e, "read layer %s", layer->digest) :
				   err_set(e, -EBADMSG, "layer %s is damaged: it was cut short",
					   layer->digest);
		rc = s->sink.data(s->sink.ctx, piece, (size_t)n, e);
		left -= (uint64_t)n;
	}
	return rc;
}

/* ---- layers ---- */

static int make_archive(struct saving *s, struct compose_layer *layer, struct err *e)
{
	autoclose int dir = blobs_open_layer(&s->blobs, layer->diff_id), fd = -1;
	bool empty;
	int rc;

	if (dir < 0)
		return err_set(e, -ENOENT, "layer %s is not in the store", layer->diff_id);
	fd = session_new_blob(&s->session, s->made++, e);
	if (fd < 0)
		return fd;
	rc = layertar_make(dir, fd, NULL, layer, &empty, e);
	return rc ? rc : put_archive(s, layer, fd, e);
}

/* *made: not all of it is as it came. */
static int put_layers(struct saving *s, struct image *image, bool *made, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < image->count; i++) {
		struct compose_layer *layer = &image->layers[i];
		autoclose int fd = blobs_open(&s->blobs, layer->digest);

		layer->type = fd < 0 ? "" : compose_type(fd);
		*made |= fd < 0;
		rc = fd < 0 ? make_archive(s, layer, e) : put_archive(s, layer, fd, e);
	}
	return rc;
}

static void set_digest(char out[REF_DIGEST_MAX], const struct buf *text)
{
	char hex[SHA256_HEX_MAX];

	snprintf(out, REF_DIGEST_MAX, "sha256:%s", sha256_hex(text->data, text->len, hex));
}

/* Documents that go with other archives than those that the image came with. */
static int remake(struct image *image, struct err *e)
{
	struct compose_config edit = {
		.parent = buf_text(&image->config), .parent_len = image->config.len,
		.layers = image->layers, .layer_count = image->count,
	};
	struct buf config = { 0 }, manifest = { 0 };
	int rc = compose_config(&edit, &config, e);

	if (!rc) {
		set_digest(image->config_digest, &config);
		rc = compose_manifest(image->config_digest, config.len, image->layers, image->count,
				      &manifest, e);
	}
	if (rc < 0) {
		buf_free(&config);
		return rc;
	}
	buf_free(&image->config);
	buf_free(&image->manifest);
	image->config = config;
	image->manifest = manifest;
	set_digest(image->digest, &manifest);
	strcpy(image->type, COMPOSE_MANIFEST_TYPE);
	return 0;
}

/* ---- one image ---- */

static int read_image(struct saving *s, struct image *image, struct err *e)
{
	struct summary sum = { 0 };
	struct summary_input in;
	int rc = blobs_read(&s->blobs, image->digest, MANIFEST_MAX_BYTES, &image->manifest, e);

	if (!rc)
		rc = blobs_read(&s->blobs, image->config_digest, CONFIG_MAX_BYTES, &image->config, e);
	in = (struct summary_input){
		.manifest = buf_text(&image->manifest), .manifest_len = image->manifest.len,
		.config = buf_text(&image->config), .config_len = image->config.len,
		.manifest_digest = image->digest,
	};
	if (!rc)
		rc = summary_read(&in, &sum, e);
	if (rc < 0)
		return rc;
	strcpy(image->type, sum.media_type);
	image->layers = calloc(sum.count + 1, sizeof(*image->layers));
	for (size_t i = 0; image->layers && i < sum.count; i++) {
		struct compose_layer *layer = &image->layers[image->count++];

		strcpy(layer->digest, sum.layers[i].digest);
		strcpy(layer->diff_id, sum.layers[i].diff_id);
		layer->bytes = sum.layers[i].blob_bytes;
	}
	summary_free(&sum);
	return image->layers ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static const char *comma(const struct buf *b)
{
	return b->len && b->data[b->len - 1] != '[' && b->data[b->len - 1] != '{' ? "," : "";
}

static void add_json(struct buf *b, const char *before, const char *text)
{
	buf_adds(b, before);
	buf_add_json_string(b, text, strlen(text));
}

static void add_index_entry(struct saving *s, const struct image *image, const char *full)
{
	struct ref ref;

	buf_addf(&s->index, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu", comma(&s->index),
		 image->type, image->digest, image->manifest.len);
	if (full && !ref_parse(&ref, full, NULL)) {
		add_json(&s->index, ",\"annotations\":{\"io.containerd.image.name\":", full);
		add_json(&s->index, ",\"org.opencontainers.image.ref.name\":", ref.tag);
		buf_adds(&s->index, "}");
	}
	buf_adds(&s->index, "}");
}

static void add_names(struct saving *s, const struct image *image, yyjson_val *refs)
{
	yyjson_val *one;
	size_t i, n;

	yyjson_arr_foreach(refs, i, n, one) {
		char name[REF_TEXT_MAX];
		struct ref ref;

		if (ref_parse(&ref, yyjson_get_str(one), NULL) < 0)
			continue;
		add_json(&s->manifests, comma(&s->manifests), ref_familiar(&ref, name));
		add_index_entry(s, image, yyjson_get_str(one));
	}
	if (!yyjson_arr_size(refs))
		add_index_entry(s, image, NULL);
}

static void add_lists(struct saving *s, const struct image *image, yyjson_val *refs)
{
	buf_addf(&s->manifests, "%s{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[", comma(&s->manifests),
		 digest_hex(image->config_digest));
	add_names(s, image, refs);
	buf_adds(&s->manifests, "],\"Layers\":[");
	for (size_t i = 0; i < image->count; i++)
		buf_addf(&s->manifests, "%s\"blobs/sha256/%s\"", comma(&s->manifests),
			 digest_hex(image->layers[i].digest));
	buf_adds(&s->manifests, "]}");
}

static int save_image(struct saving *s, yyjson_val *told, struct err *e)
{
	struct image image = { .count = 0 };
	const char *digest = yyjson_get_str(yyjson_obj_get(told, "digest"));
	const char *id = yyjson_get_str(yyjson_obj_get(told, "id"));
	bool made = false;
	int rc = digest && id && digest_valid(digest) && digest_valid(id) ? 0 :
		 err_set(e, -EINVAL, "what is told of the images names no digest");

	if (rc < 0)
		return rc;
	strcpy(image.digest, digest);
	strcpy(image.config_digest, id);
	rc = read_image(s, &image, e);
	if (!rc)
		rc = put_layers(s, &image, &made, e);
	if (!rc && made)
		rc = remake(&image, e);
	if (!rc)
		rc = put_document(s, image.config_digest, &image.config, e);
	if (!rc)
		rc = put_document(s, image.digest, &image.manifest, e);
	if (!rc)
		add_lists(s, &image, yyjson_obj_get(told, "refs"));
	free_image(&image);
	return rc;
}

/* ---- the whole ---- */

static int put_lists(struct saving *s, struct err *e)
{
	static const char layout[] = "{\"imageLayoutVersion\": \"1.0.0\"}";
	const struct {
		const char *name, *end;
		struct buf *text;
	} files[] = {
		{ "index.json", "]}", &s->index }, { "manifest.json", "]\n", &s->manifests },
	};
	int rc = tarout_file(s->tar, "oci-layout", layout, sizeof(layout) - 1, e);

	for (size_t i = 0; !rc && i < ARRAY_LEN(files); i++) {
		buf_adds(files[i].text, files[i].end);
		rc = buf_ok(files[i].text) ? tarout_file(s->tar, files[i].name, files[i].text->data,
							 files[i].text->len, e) :
					     err_set(e, -ENOMEM, "out of memory");
	}
	return rc ? rc : tarout_end(s->tar, e);
}

static int put_all(struct saving *s, yyjson_val *images, struct err *e)
{
	yyjson_val *one;
	size_t i, n;
	int rc = tarout_new(&s->tar, STDOUT_FILENO, e);

	if (rc < 0)
		return rc;
	s->sink = tarout_sink(s->tar);
	rc = tarout_dir(s->tar, "blobs", e);
	if (!rc)
		rc = tarout_dir(s->tar, "blobs/sha256", e);
	buf_adds(&s->index, "{\"schemaVersion\":2,\"mediaType\":"
		 "\"application/vnd.oci.image.index.v1+json\",\"manifests\":[");
	buf_adds(&s->manifests, "[");
	yyjson_arr_foreach(images, i, n, one)
		if (!rc)
			rc = save_image(s, one, e);
	return rc ? rc : put_lists(s, e);
}

int save_images(const struct save *save, struct err *e)
{
	struct saving s = { .blobs = { save->dirs, save->dir_count },
			    .session = { .store = -1, .tmp = -1 } };
	autobuf struct buf text = { 0 };
	yyjson_doc *doc = NULL;
	int rc = file_read_fd(TOLD_FD, TOLD_MAX, &text, e);

	if (!rc) {
		doc = yyjson_read(buf_text(&text), text.len, 0);
		rc = doc ? session_open(&s.session, save->dirs, save->dir_count, e) :
			   err_set(e, -EINVAL, "what is told of the images is no JSON");
	}
	if (!rc)
		rc = put_all(&s, yyjson_doc_get_root(doc), e);
	yyjson_doc_free(doc);
	tarout_free(s.tar);
	session_close(&s.session);
	buf_free(&s.index);
	buf_free(&s.manifests);
	free(s.put);
	return rc;
}
