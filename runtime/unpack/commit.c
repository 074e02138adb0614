#include "unpack/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/sha256.h"
#include "unpack/blobs.h"
#include "unpack/changes.h"
#include "unpack/compose.h"
#include "unpack/layer.h"
#include "unpack/layertar.h"
#include "unpack/summary.h"
#include "unpack/view.h"

enum { TOLD_MAX = 4 << 20 };

struct making {
	const struct commit *wish;
	struct blobs blobs;
	struct session session;
	struct buf parent;               /* its config */
	struct compose_layer *layers;    /* the parent's, and the new one */
	struct layers_one *ones;
	size_t count;                    /* of them */
	bool added;                      /* the last one is new */
	char *config_text, *author, *comment, *created_by;
};

/* ---- what is told ---- */

static char *told_text(yyjson_val *told, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(told, key));

	return strdup(text ? text : "");
}

static int read_told(struct making *m, struct err *e)
{
	autobuf struct buf text = { 0 };
	yyjson_doc *doc;
	yyjson_val *told, *config;
	int rc = file_read_fd(TOLD_FD, TOLD_MAX, &text, e);

	if (rc < 0)
		return rc;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	told = yyjson_doc_get_root(doc);
	config = yyjson_obj_get(told, "config");
	m->config_text = config ? yyjson_val_write(config, 0, NULL) : NULL;
	m->author = told_text(told, "author");
	m->comment = told_text(told, "comment");
	m->created_by = told_text(told, "createdBy");
	yyjson_doc_free(doc);
	/* Read once more by view_open_changes(). */
	lseek(TOLD_FD, 0, SEEK_SET);
	return m->config_text && m->author && m->comment && m->created_by ? 0 :
	       err_set(e, -EINVAL, "what is told of the image is no JSON");
}

/* ---- the parent ---- */

static int add_layer(struct making *m, const struct compose_layer *layer,
		     const struct layers_one *one, struct err *e)
{
	struct compose_layer *layers = reallocarray(m->layers, m->count + 1, sizeof(*layers));
	struct layers_one *ones = reallocarray(m->ones, m->count + 1, sizeof(*ones));

	m->layers = layers ? layers : m->layers;
	m->ones = ones ? ones : m->ones;
	if (!layers || !ones)
		return err_set(e, -ENOMEM, "out of memory");
	if (m->count == MANIFEST_LAYERS_MAX)
		return err_set(e, -E2BIG, "an image has at most %d layers", MANIFEST_LAYERS_MAX);
	layers[m->count] = *layer;
	ones[m->count++] = *one;
	return 0;
}

static int take_parent_layers(struct making *m, const struct summary *s, const struct manifest *man,
			      struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < s->count; i++) {
		struct compose_layer layer = { .bytes = s->layers[i].blob_bytes };
		struct layers_one one = s->layers[i];

		/* The type is one of a table's strings: it outlives the manifest. */
		layer.type = strstr(man->layers[i].media_type, "gzip") ? "gzip" :
			     strstr(man->layers[i].media_type, "zstd") ? "zstd" : "tar";
		strcpy(layer.digest, one.digest);
		strcpy(layer.diff_id, one.diff_id);
		one.dir = session_find_layer(&m->session, one.diff_id);
		if (one.dir < 0)
			return err_set(e, -ENOENT, "layer %s of the image is not in the store", one.diff_id);
		rc = add_layer(m, &layer, &one, e);
	}
	return rc;
}

static int read_parent(struct making *m, struct err *e)
{
	autobuf struct buf manifest = { 0 };
	struct summary s = { 0 };
	struct manifest man = { 0 };
	struct summary_input in;
	int rc = blobs_read(&m->blobs, m->wish->digest, MANIFEST_MAX_BYTES, &manifest, e);

	if (!rc)
		rc = blobs_read(&m->blobs, m->wish->id, CONFIG_MAX_BYTES, &m->parent, e);
	in = (struct summary_input){
		.manifest = buf_text(&manifest), .manifest_len = manifest.len,
		.config = buf_text(&m->parent), .config_len = m->parent.len,
		.manifest_digest = m->wish->digest,
	};
	if (!rc)
		rc = summary_read(&in, &s, e);
	if (!rc)
		rc = manifest_parse(&man, buf_text(&manifest), manifest.len, e);
	if (!rc)
		rc = take_parent_layers(m, &s, &man, e);
	manifest_free(&man);
	summary_free(&s);
	return rc;
}

/* ---- the new layer ---- */

static int below = -1; /* the image's files, for the callback that has no room for it */

/* A directory that is in the upper one only because the runtime made something in it. */
static bool is_ours(const char *path, const struct stat *st, bool empty)
{
	struct stat low;

	if (changes_are_ours(path, st, empty))
		return true;
	if (!empty || !S_ISDIR(st->st_mode) || (strcmp(path, "etc") && strcmp(path, "sbin")))
		return false;
	return fstatat(below, path, &low, AT_SYMLINK_NOFOLLOW) < 0 ||
	       (low.st_mode == st->st_mode && low.st_uid == st->st_uid && low.st_gid == st->st_gid);
}

static int new_layer(struct making *m, struct layers_one *one, struct err *e)
{
	*one = (struct layers_one){ .dir = -1, .blob = -1 };
	one->dir = session_new_layer(&m->session, m->count, e);
	if (one->dir < 0)
		return one->dir;
	one->blob = session_new_blob(&m->session, m->count, e);
	return one->blob < 0 ? one->blob : 0;
}

static int make_layer(struct making *m, struct err *e)
{
	struct compose_layer layer = { .bytes = 0 };
	struct layers_one one;
	int upper, rc = new_layer(m, &one, e);
	bool empty = true;

	if (!rc)
		rc = view_open_changes(&upper, &below, m->wish->scratch, e);
	if (rc < 0)
		return rc;
	if (upper >= 0)
		rc = layertar_make(upper, one.blob, is_ours, &layer, &empty, e);
	cleanup_fd(&upper);
	m->added = !empty;
	if (rc < 0 || empty)
		return rc;
	strcpy(one.digest, layer.digest);
	strcpy(one.diff_id, layer.diff_id);
	one.blob_bytes = layer.bytes;
	return add_layer(m, &layer, &one, e);
}

/* As it comes: the archive is kept, and read in a jail afterwards. */
static int take_input(struct making *m, struct err *e)
{
	static char chunk[64 * 1024];
	struct layers_one one;
	uint64_t bytes = 0;
	ssize_t n = 1;
	int rc = new_layer(m, &one, e);

	while (!rc && (n = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read the archive");
		bytes += (uint64_t)n;
		if (bytes > LAYER_BYTES_MAX)
			return err_set(e, -EFBIG, "the archive is larger than %llu bytes",
				       (unsigned long long)LAYER_BYTES_MAX);
		rc = file_write_all(one.blob, chunk, (size_t)n);
		if (rc < 0)
			return err_code(e, rc, "keep the archive");
	}
	m->added = true;
	return rc ? rc : add_layer(m, &(struct compose_layer){ .type = compose_type(one.blob),
							       .bytes = bytes }, &one, e);
}

/* ---- the image ---- */

static int unpack(struct making *m, struct err *e)
{
	struct layers job = { .all = m->ones, .count = m->count, .ready = -1 };
	int rc = m->count ? layers_unpack(&job, e) : 0;

	if (!rc && m->added) {
		struct compose_layer *top = &m->layers[m->count - 1];

		strcpy(top->digest, m->ones[m->count - 1].sums.blob);
		strcpy(top->diff_id, m->ones[m->count - 1].sums.diff_id);
	}
	return rc;
}

static int compose(struct making *m, struct buf *config, struct buf *manifest, struct err *e)
{
	char now[CLOCK_RFC3339_MAX], digest[REF_DIGEST_MAX], hex[SHA256_HEX_MAX];
	struct compose_config c = {
		.parent = m->parent.len ? buf_text(&m->parent) : NULL, .parent_len = m->parent.len,
		.platform = m->wish->platform, .config = m->config_text, .author = m->author,
		.comment = m->comment, .created_by = m->created_by,
		.created = clock_rfc3339(clock_wall_ns(), now),
		.diff_id = m->added ? m->layers[m->count - 1].diff_id : NULL,
	};
	int rc = compose_config(&c, config, e);

	if (rc < 0)
		return rc;
	snprintf(digest, sizeof(digest), "sha256:%s", sha256_hex(config->data, config->len, hex));
	return compose_manifest(digest, config->len, m->layers, m->count, manifest, e);
}

static int commit(struct making *m, struct err *e)
{
	autobuf struct buf config = { 0 }, manifest = { 0 }, sizes = { 0 };
	char digest[REF_DIGEST_MAX], hex[SHA256_HEX_MAX];
	struct layers layers = { .all = m->ones, .count = m->count };
	int rc = unpack(m, e);

	if (!rc)
		rc = compose(m, &config, &manifest, e);
	if (!rc)
		rc = session_commit(&m->session, &layers,
				    &(struct session_document){ config.data, config.len },
				    &(struct session_document){ manifest.data, manifest.len }, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < m->count; i++)
		buf_addf(&sizes, "%s%" PRIu64, i ? "," : "", m->ones[i].files_bytes);
	snprintf(digest, sizeof(digest), "sha256:%s", sha256_hex(manifest.data, manifest.len, hex));
	rc = session_tell(m->wish->result, digest, COMPOSE_MANIFEST_TYPE, manifest.len, buf_text(&sizes));
	return rc < 0 ? err_code(e, rc, "tell the engine") : 0;
}

static int make(const struct commit *c, bool of_container, struct err *e)
{
	struct making m = { .wish = c, .blobs = { c->dirs, c->dir_count } };
	int rc = read_told(&m, e);

	m.session = (struct session){ .store = -1, .tmp = -1 };
	if (!rc)
		rc = session_open(&m.session, c->dirs, c->dir_count, e);
	if (!rc && of_container)
		rc = read_parent(&m, e);
	if (!rc)
		rc = of_container ? make_layer(&m, e) : take_input(&m, e);
	if (!rc)
		rc = commit(&m, e);
	session_close(&m.session);
	buf_free(&m.parent);
	free(m.layers);
	free(m.ones);
	free(m.config_text);
	free(m.author);
	free(m.comment);
	free(m.created_by);
	return rc;
}

int commit_image(const struct commit *c, struct err *e)
{
	return make(c, true, e);
}

int import_image(const struct commit *c, struct err *e)
{
	return make(c, false, e);
}
