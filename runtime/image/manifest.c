#include "image/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/cleanup.h"

static void cleanup_doc(yyjson_doc **doc)
{
	yyjson_doc_free(*doc);
}

#define autodoc __attribute__((cleanup(cleanup_doc)))

static const struct {
	const char *type;
	enum media_kind kind;
} media_types[] = {
	{ "application/vnd.oci.image.index.v1+json", MEDIA_INDEX },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", MEDIA_INDEX },
	{ "application/vnd.oci.image.manifest.v1+json", MEDIA_MANIFEST },
	{ "application/vnd.docker.distribution.manifest.v2+json", MEDIA_MANIFEST },
	{ "application/vnd.oci.image.config.v1+json", MEDIA_CONFIG },
	{ "application/vnd.docker.container.image.v1+json", MEDIA_CONFIG },
	{ "application/vnd.oci.image.layer.v1.tar", MEDIA_LAYER },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", MEDIA_LAYER },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", MEDIA_LAYER },
	{ "application/vnd.docker.image.rootfs.diff.tar", MEDIA_LAYER },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_LAYER },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_LAYER },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", MEDIA_LAYER_FOREIGN },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_LAYER_FOREIGN },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_LAYER_FOREIGN },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar", MEDIA_LAYER_FOREIGN },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MEDIA_LAYER_FOREIGN },
};

enum media_kind media_kind(const char *media_type)
{
	for (size_t i = 0; i < ARRAY_LEN(media_types); i++)
		if (!strcmp(media_types[i].type, media_type))
			return media_types[i].kind;
	return MEDIA_UNKNOWN;
}

static int parse_object(yyjson_doc **out, const char *text, size_t len, size_t max_bytes,
			struct err *e)
{
	yyjson_read_err fault;
	yyjson_doc *doc;

	if (len > max_bytes)
		return err_set(e, -EINVAL, "is %zu bytes long, at most %zu are read", len, max_bytes);
	doc = yyjson_read_opts((char *)(uintptr_t)text, len, 0, NULL, &fault);
	if (!doc)
		return err_set(e, -EINVAL, "is not JSON: %s at byte %zu", fault.msg, fault.pos);
	if (!yyjson_is_obj(yyjson_doc_get_root(doc))) {
		yyjson_doc_free(doc);
		return err_set(e, -EINVAL, "is not a JSON object");
	}
	*out = doc;
	return 0;
}

/* A string member without embedded NUL that fits; "" when it is absent or something else. */
static void copy_member(yyjson_val *obj, const char *key, char *out, size_t room)
{
	yyjson_val *v = yyjson_obj_get(obj, key);
	const char *text = yyjson_get_str(v);

	*out = '\0';
	if (text && strlen(text) == yyjson_get_len(v) && strlen(text) < room)
		strcpy(out, text);
}

static int copy_annotation(yyjson_val *annotations, const char *key, char **out)
{
	const char *text = yyjson_get_str(yyjson_obj_get(annotations, key));

	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : -ENOMEM;
}

static int read_descriptor(struct descriptor *d, yyjson_val *v, struct err *e)
{
	yyjson_val *size = yyjson_obj_get(v, "size");

	if (!yyjson_is_obj(v))
		return err_set(e, -EINVAL, "holds a descriptor that is not an object");
	copy_member(v, "mediaType", d->media_type, sizeof(d->media_type));
	copy_member(v, "digest", d->digest, sizeof(d->digest));
	d->kind = media_kind(d->media_type);
	if (!digest_valid(d->digest))
		return err_set(e, -EINVAL, "holds a descriptor of type \"%s\" without a digest of the "
			       "form \"sha256:\" and 64 hex digits", d->media_type);
	if (!yyjson_is_uint(size))
		return err_set(e, -EINVAL, "gives no size for \"%s\"", d->digest);
	d->size_bytes = yyjson_get_uint(size);
	return 0;
}

static int read_entry(struct descriptor *d, yyjson_val *v, struct err *e)
{
	yyjson_val *platform, *annotations;
	int rc = read_descriptor(d, v, e);

	if (rc < 0)
		return rc;
	platform = yyjson_obj_get(v, "platform");
	copy_member(platform, "os", d->os, sizeof(d->os));
	copy_member(platform, "architecture", d->architecture, sizeof(d->architecture));
	copy_member(platform, "variant", d->variant, sizeof(d->variant));
	annotations = yyjson_obj_get(v, "annotations");
	if (copy_annotation(annotations, "org.opencontainers.image.ref.name", &d->ref_name) < 0 ||
	    copy_annotation(annotations, "io.containerd.image.name", &d->image_name) < 0 ||
	    copy_annotation(annotations, "berth.layer-sizes", &d->layer_sizes) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	return 0;
}

/* The array `key` of at most `max` objects, as zeroed descriptors to be filled. */
static int array_of(yyjson_val *root, const char *key, size_t max, yyjson_val **array,
		    struct descriptor **out, struct err *e)
{
	size_t n;

	*array = yyjson_obj_get(root, key);
	n = yyjson_arr_size(*array);
	if (!yyjson_is_arr(*array))
		return err_set(e, -EINVAL, "has no list \"%s\"", key);
	if (n > max)
		return err_set(e, -EINVAL, "lists %zu %s, at most %zu are allowed", n, key, max);
	*out = calloc(n ? n : 1, sizeof(**out));
	return *out ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static void free_descriptors(struct descriptor *d, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(d[i].ref_name);
		free(d[i].image_name);
		free(d[i].layer_sizes);
	}
	free(d);
}

void index_free(struct index *i)
{
	free_descriptors(i->entries, i->count);
	*i = (struct index){ 0 };
}

int index_parse(struct index *out, const char *text, size_t len, struct err *e)
{
	autodoc yyjson_doc *doc = NULL;
	struct index index = { 0 };
	yyjson_val *array, *v;
	size_t i, n;
	int rc = parse_object(&doc, text, len, MANIFEST_MAX_BYTES, e);

	if (!rc)
		rc = array_of(yyjson_doc_get_root(doc), "manifests", INDEX_ENTRIES_MAX, &array,
			      &index.entries, e);
	if (rc < 0)
		return rc;
	yyjson_arr_foreach(array, i, n, v) {
		index.count++;
		rc = read_entry(&index.entries[i], v, e);
		if (rc < 0) {
			index_free(&index);
			return rc;
		}
	}
	*out = index;
	return 0;
}

void manifest_free(struct manifest *m)
{
	free_descriptors(m->layers, m->layer_count);
	*m = (struct manifest){ 0 };
}

static int read_manifest(struct manifest *m, yyjson_val *root, struct err *e)
{
	yyjson_val *array, *v;
	size_t i, n;
	int rc;

	/* Schema 1 has neither list; its layers cannot be checked against a config. */
	if (yyjson_get_uint(yyjson_obj_get(root, "schemaVersion")) != 2)
		return err_set(e, -EINVAL, "has no \"schemaVersion\": 2 (Docker's schema 1 is not "
			       "supported: push the image again with a current tool)");
	copy_member(root, "mediaType", m->media_type, sizeof(m->media_type));
	rc = read_descriptor(&m->config, yyjson_obj_get(root, "config"), e);
	if (!rc && m->config.size_bytes > CONFIG_MAX_BYTES)
		rc = err_set(e, -EINVAL, "names a config of %llu bytes, at most %d are read",
			     (unsigned long long)m->config.size_bytes, CONFIG_MAX_BYTES);
	if (!rc)
		rc = array_of(root, "layers", MANIFEST_LAYERS_MAX, &array, &m->layers, e);
	if (rc < 0)
		return rc;
	yyjson_arr_foreach(array, i, n, v) {
		m->layer_count++;
		rc = read_descriptor(&m->layers[i], v, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int manifest_parse(struct manifest *out, const char *text, size_t len, struct err *e)
{
	autodoc yyjson_doc *doc = NULL;
	struct manifest m = { 0 };
	int rc = parse_object(&doc, text, len, MANIFEST_MAX_BYTES, e);

	if (!rc)
		rc = read_manifest(&m, yyjson_doc_get_root(doc), e);
	if (rc < 0) {
		manifest_free(&m);
		return rc;
	}
	*out = m;
	return 0;
}

void diff_ids_free(struct diff_ids *d)
{
	free(d->ids);
	*d = (struct diff_ids){ 0 };
}

int diff_ids_parse(struct diff_ids *out, const char *config, size_t len, struct err *e)
{
	autodoc yyjson_doc *doc = NULL;
	struct diff_ids d = { 0 };
	yyjson_val *array, *v;
	size_t i, n;
	int rc = parse_object(&doc, config, len, CONFIG_MAX_BYTES, e);

	if (rc < 0)
		return rc;
	array = yyjson_obj_get(yyjson_obj_get(yyjson_doc_get_root(doc), "rootfs"), "diff_ids");
	d.count = yyjson_arr_size(array);
	if (!yyjson_is_arr(array))
		return err_set(e, -EINVAL, "has no list \"rootfs.diff_ids\"");
	if (d.count > MANIFEST_LAYERS_MAX)
		return err_set(e, -EINVAL, "lists %zu layers, at most %d are allowed", d.count,
			       MANIFEST_LAYERS_MAX);
	d.ids = calloc(d.count ? d.count : 1, sizeof(*d.ids));
	if (!d.ids)
		return err_set(e, -ENOMEM, "out of memory");
	yyjson_arr_foreach(array, i, n, v) {
		const char *id = yyjson_get_str(v);

		if (!id || !digest_valid(id)) {
			diff_ids_free(&d);
			return err_set(e, -EINVAL, "has a diff id for layer %zu that is not \"sha256:\" "
				       "and 64 hex digits", i + 1);
		}
		strcpy(d.ids[i], id);
	}
	*out = d;
	return 0;
}

enum media_kind document_kind(const char *text, size_t len)
{
	autodoc yyjson_doc *doc = NULL;
	yyjson_val *root;

	if (parse_object(&doc, text, len, MANIFEST_MAX_BYTES, NULL) < 0)
		return MEDIA_UNKNOWN;
	root = yyjson_doc_get_root(doc);
	if (yyjson_obj_get(root, "manifests"))
		return MEDIA_INDEX;
	return yyjson_obj_get(root, "layers") ? MEDIA_MANIFEST : MEDIA_UNKNOWN;
}

static bool fits(const struct descriptor *d, const char *platform)
{
	char name[100];
	size_t n;

	snprintf(name, sizeof(name), "%s/%s", d->os, d->architecture);
	n = strlen(name);
	if (strncmp(platform, name, n) != 0)
		return false;
	/* No variant asked for: any; arm64 and arm64/v8 are the same thing. */
	return !platform[n] || (platform[n] == '/' &&
				(!*d->variant || !strcmp(platform + n + 1, d->variant)));
}

const struct descriptor *index_pick(const struct index *i, const char *platform)
{
	const struct descriptor *only = NULL;
	size_t manifests = 0;

	for (size_t k = 0; k < i->count; k++) {
		const struct descriptor *d = &i->entries[k];

		if (fits(d, platform))
			return d;
		manifests++;
		only = *d->os || *d->architecture ? NULL : d;
	}
	return manifests == 1 ? only : NULL;
}
