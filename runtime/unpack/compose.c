#include "unpack/compose.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "image/manifest.h"

enum { TIMEOUT_MS = 30000 };

static const char plain[] = "application/vnd.oci.image.layer.v1.tar";
static const char gzip[] = "application/vnd.oci.image.layer.v1.tar+gzip";
static const char zstd[] = "application/vnd.oci.image.layer.v1.tar+zstd";

const char *compose_type(int fd)
{
	unsigned char first[4] = { 0 };

	if (pread(fd, first, sizeof(first), 0) == sizeof(first)) {
		if (first[0] == 0x1f && first[1] == 0x8b)
			return gzip;
		if (!memcmp(first, "\x28\xb5\x2f\xfd", 4))
			return zstd;
	}
	return plain;
}

/* Docker's types mean the same; a manifest has one kind of them. */
static const char *oci_type(const char *type)
{
	return strstr(type, "gzip") ? gzip : strstr(type, "zstd") ? zstd : plain;
}

int compose_manifest(const char *config, size_t config_len, const struct compose_layer *layers,
		     size_t count, struct buf *out, struct err *e)
{
	buf_addf(out, "{\"schemaVersion\":2,\"mediaType\":\"" COMPOSE_MANIFEST_TYPE "\",\"config\":{"
		 "\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\","
		 "\"size\":%zu},\"layers\":[", config, config_len);
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%" PRIu64 "}", i ? "," : "",
			 oci_type(layers[i].type), layers[i].digest, layers[i].bytes);
	buf_adds(out, "]}");
	return buf_ok(out) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* ---- the config ---- */

struct edit {
	const struct compose_config *wish;
	yyjson_mut_doc *doc;
	yyjson_mut_val *root;
};

static yyjson_mut_val *child(struct edit *d, yyjson_mut_val *of, const char *key, bool list)
{
	yyjson_mut_val *there = yyjson_mut_obj_get(of, key);

	if (list ? yyjson_mut_is_arr(there) : yyjson_mut_is_obj(there))
		return there;
	there = list ? yyjson_mut_arr(d->doc) : yyjson_mut_obj(d->doc);
	yyjson_mut_obj_put(of, yyjson_mut_strcpy(d->doc, key), there);
	return there;
}

static void put_text(struct edit *d, yyjson_mut_val *of, const char *key, const char *text)
{
	if (text && *text)
		yyjson_mut_obj_put(of, yyjson_mut_str(d->doc, key), yyjson_mut_strcpy(d->doc, text));
}

static void set_platform(struct edit *d)
{
	const char *platform = d->wish->platform, *slash = strchr(platform, '/');
	size_t os = slash ? (size_t)(slash - platform) : strlen(platform);
	size_t arch = slash ? strcspn(slash + 1, "/") : 0;

	yyjson_mut_obj_put(d->root, yyjson_mut_str(d->doc, "os"),
			   yyjson_mut_strncpy(d->doc, platform, os));
	yyjson_mut_obj_put(d->root, yyjson_mut_str(d->doc, "architecture"),
			   yyjson_mut_strncpy(d->doc, slash ? slash + 1 : "", arch));
	if (slash && slash[1 + arch])
		put_text(d, d->root, "variant", slash + 1 + arch + 1);
}

static void add_step(struct edit *d)
{
	const struct compose_config *w = d->wish;
	yyjson_mut_val *step = yyjson_mut_obj(d->doc);
	yyjson_mut_val *rootfs = child(d, d->root, "rootfs", false);
	yyjson_mut_val *ids = child(d, rootfs, "diff_ids", true);

	put_text(d, d->root, "author", w->author);
	put_text(d, d->root, "created", w->created);
	put_text(d, step, "created", w->created);
	put_text(d, step, "created_by", w->created_by);
	put_text(d, step, "author", w->author);
	put_text(d, step, "comment", w->comment);
	if (!w->diff_id)
		yyjson_mut_obj_add_bool(d->doc, step, "empty_layer", true);
	yyjson_mut_arr_append(child(d, d->root, "history", true), step);
	put_text(d, rootfs, "type", "layers");
	if (w->diff_id)
		yyjson_mut_arr_add_strcpy(d->doc, ids, w->diff_id);
}

static void replace_layers(struct edit *d)
{
	yyjson_mut_val *ids = yyjson_mut_arr(d->doc);

	for (size_t i = 0; i < d->wish->layer_count; i++)
		yyjson_mut_arr_add_strcpy(d->doc, ids, d->wish->layers[i].diff_id);
	yyjson_mut_obj_put(child(d, d->root, "rootfs", false), yyjson_mut_str(d->doc, "diff_ids"), ids);
}

static int set_config(struct edit *d, struct err *e)
{
	const char *text = d->wish->config;
	yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
	yyjson_mut_val *config = doc ? yyjson_val_mut_copy(d->doc, yyjson_doc_get_root(doc)) : NULL;

	yyjson_doc_free(doc);
	if (!config)
		return err_set(e, -EINVAL, "how its containers run is no JSON");
	yyjson_mut_obj_put(d->root, yyjson_mut_str(d->doc, "config"), config);
	/* What docker's builder once kept of the container that a step ran in. */
	yyjson_mut_obj_remove_key(d->root, "container_config");
	yyjson_mut_obj_remove_key(d->root, "container");
	return 0;
}

static int start(struct edit *d, struct err *e)
{
	yyjson_doc *parent;

	d->doc = yyjson_mut_doc_new(NULL);
	if (!d->wish->parent) {
		d->root = yyjson_mut_obj(d->doc);
		set_platform(d);
	} else {
		parent = yyjson_read(d->wish->parent, d->wish->parent_len, 0);
		d->root = parent ? yyjson_val_mut_copy(d->doc, yyjson_doc_get_root(parent)) : NULL;
		yyjson_doc_free(parent);
	}
	if (!yyjson_mut_is_obj(d->root))
		return err_set(e, -EBADMSG, "the image's config is no JSON object");
	yyjson_mut_doc_set_root(d->doc, d->root);
	return 0;
}

static int edit(void *arg, struct buf *out, struct err *e)
{
	struct edit d = { .wish = arg };
	char *text = NULL;
	int rc = start(&d, e);

	if (!rc && d.wish->config)
		rc = set_config(&d, e);
	if (!rc && d.wish->layers)
		replace_layers(&d);
	else if (!rc)
		add_step(&d);
	if (!rc) {
		text = yyjson_mut_write(d.doc, 0, NULL);
		buf_adds(out, text ? text : "");
		rc = text ? 0 : err_set(e, -ENOMEM, "out of memory");
	}
	free(text);
	yyjson_mut_doc_free(d.doc);
	return rc;
}

int compose_config(const struct compose_config *c, struct buf *out, struct err *e)
{
	struct jail_task task = {
		.jail = JAIL_PARSE, .fn = edit, .arg = (void *)(uintptr_t)c,
		.max_bytes = CONFIG_MAX_BYTES, .timeout_ms = TIMEOUT_MS,
	};

	return jail_run(&task, out, e);
}
