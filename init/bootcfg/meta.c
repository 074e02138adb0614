/* Providers' JSON. Sources: docs.openstack.org/nova "Metadata service"; cloud.google.com "VM
 * metadata"; docs.digitalocean.com "Metadata API"; www.vultr.com/metadata. */
#include "bootcfg/meta.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "base/base64.h"
#include "bootcfg/config.h"
#include "bootcfg/section.h"

enum { ANSWER_MAX = 8 * 1024 * 1024, READ_MS = 20000, KEYS_MAX = 65536 };

/* ---- meta-data ---- */

static void add_key_lines(const char *keys, struct buf *out)
{
	bool first = true;

	buf_adds(out, ", \"public-keys\": [");
	for (const char *at = keys; at && *at && out->len < KEYS_MAX; at += strcspn(at, "\n")) {
		size_t len;

		at += strspn(at, "\r\n \t");
		len = strcspn(at, "\r\n");
		if (len == 0 || *at == '#')
			continue;
		buf_adds(out, first ? "" : ", ");
		buf_add_json_string(out, at, len);
		first = false;
	}
	buf_adds(out, "]");
}

void meta_write(const struct meta_facts *facts, struct buf *out)
{
	const char *host = facts->hostname ? facts->hostname : "";
	const char *id = facts->instance_id ? facts->instance_id : "";

	/* JSON, which is YAML as well. */
	buf_adds(out, "{\"instance-id\": ");
	if (*id)
		buf_add_json_string(out, id, strcspn(id, "\r\n"));
	else
		buf_adds(out, "null");
	if (*host) {
		buf_adds(out, ", \"local-hostname\": ");
		buf_add_json_string(out, host, strcspn(host, ".\r\n"));
	}
	add_key_lines(facts->keys, out);
	buf_adds(out, "}\n");
}

/* ---- JSON ---- */

static const char *text_of(yyjson_val *object, const char *name)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, name));

	return text ? text : "";
}

/* A text, or a number as one. */
static const char *id_of(yyjson_val *object, const char *name, char room[32])
{
	yyjson_val *v = yyjson_obj_get(object, name);

	if (!yyjson_is_uint(v))
		return text_of(object, name);
	snprintf(room, 32, "%llu", (unsigned long long)yyjson_get_uint(v));
	return room;
}

/* A list of texts, an object of texts, or one text: as lines. */
static void add_lines(yyjson_val *v, struct buf *out)
{
	yyjson_val *item, *key;
	size_t i, max;

	if (yyjson_is_str(v))
		buf_addf(out, "%s\n", yyjson_get_str(v));
	if (yyjson_is_arr(v))
		yyjson_arr_foreach(v, i, max, item) {
			if (yyjson_is_str(item))
				buf_addf(out, "%s\n", yyjson_get_str(item));
		}
	if (yyjson_is_obj(v))
		yyjson_obj_foreach(v, i, max, key, item) {
			if (yyjson_is_str(item))
				buf_addf(out, "%s\n", yyjson_get_str(item));
		}
}

static void add_section(struct buf *out, const char *name, const char *text)
{
	if (*text)
		section_add_text(out, name, text);
}

static void add_meta(struct buf *out, const char *host, const char *id, const struct buf *keys)
{
	autobuf struct buf text = { 0 };

	meta_write(&(struct meta_facts){ host, id, buf_text(keys) }, &text);
	section_add(out, "meta-data", buf_text(&text), text.len);
}

static yyjson_doc *read_json(const struct buf *text, const char *what, struct err *e)
{
	yyjson_read_err why;
	yyjson_doc *doc = yyjson_read_opts(text->data, text->len, 0, NULL, &why);

	if (!doc)
		err_set(e, -EBADMSG, "%s is no JSON: %s at byte %zu", what, text->len ? why.msg : "it is empty",
			why.pos);
	return doc;
}

/* vendor_data.json: {"cloud-init": TEXT}, or the text alone. */
static void add_openstack_vendor(const struct buf *text, struct buf *out)
{
	yyjson_doc *doc = text->len ? yyjson_read(text->data, text->len, 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc);

	if (yyjson_is_str(root))
		add_section(out, "vendor-data", yyjson_get_str(root));
	else
		add_section(out, "vendor-data", text_of(root, "cloud-init"));
	yyjson_doc_free(doc);
}

static int read_openstack(yyjson_val *root, const struct meta_input *in, struct buf *out,
			  struct err *e)
{
	autobuf struct buf keys = { 0 };

	(void)e;
	add_lines(yyjson_obj_get(root, "public_keys"), &keys);
	add_meta(out, text_of(root, "hostname"), text_of(root, "uuid"), &keys);
	add_openstack_vendor(in->more, out);
	return 0;
}

/* Lines "USER:KEY"; one that Google made for a while says when it ends:
 * "2021-12-04T20:12:00+0000". */
static void add_google_keys(const char *text, const char *now, struct buf *keys)
{
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		size_t len = strcspn(at, "\n");
		autofree char *line = strndup(at, len);
		char *key = line ? strchr(line, ':') : NULL;
		char *ends = key ? strstr(key, "\"expireOn\":\"") : NULL;

		if (key && (!ends || strncmp(ends + 12, now, 19) > 0))
			buf_addf(keys, "%s\n", key + 1);
	}
}

static int read_gcp(yyjson_val *root, const struct meta_input *in, struct buf *out, struct err *e)
{
	yyjson_val *attributes = yyjson_obj_get(root, "attributes");
	yyjson_doc *more = in->more->len ? yyjson_read(in->more->data, in->more->len, 0) : NULL;
	bool alone = !strcmp(text_of(attributes, "block-project-ssh-keys"), "true") ||
		     *text_of(attributes, "sshKeys");
	autobuf struct buf keys = { 0 };
	char id[32];

	(void)e;
	add_google_keys(text_of(attributes, "ssh-keys"), in->now, &keys);
	add_google_keys(text_of(attributes, "sshKeys"), in->now, &keys);
	if (!alone) {
		add_google_keys(text_of(yyjson_doc_get_root(more), "ssh-keys"), in->now, &keys);
		add_google_keys(text_of(yyjson_doc_get_root(more), "sshKeys"), in->now, &keys);
	}
	yyjson_doc_free(more);
	add_meta(out, text_of(root, "hostname"), id_of(root, "id", id), &keys);
	add_section(out, !strcmp(text_of(attributes, "user-data-encoding"), "base64") ?
			 "user-data-base64" : "user-data", text_of(attributes, "user-data"));
	if (*text_of(attributes, "startup-script"))
		section_add_text(out, "note", "\"startup-script\" is not run: use user-data");
	return 0;
}

static int read_digitalocean(yyjson_val *root, const struct meta_input *in, struct buf *out,
			     struct err *e)
{
	autobuf struct buf keys = { 0 };
	char id[32];

	(void)in, (void)e;
	if (yyjson_is_arr(root)) /* the reference shows it in a list of one */
		root = yyjson_arr_get_first(root);
	add_lines(yyjson_obj_get(root, "public_keys"), &keys);
	add_meta(out, text_of(root, "hostname"), id_of(root, "droplet_id", id), &keys);
	add_section(out, "user-data", text_of(root, "user_data"));
	add_section(out, "vendor-data", text_of(root, "vendor_data"));
	return 0;
}

static int read_vultr(yyjson_val *root, const struct meta_input *in, struct buf *out, struct err *e)
{
	const char *id = text_of(root, "instance-v2-id");
	autobuf struct buf keys = { 0 };

	(void)in, (void)e;
	add_lines(yyjson_obj_get(root, "public-keys"), &keys);
	add_meta(out, text_of(root, "hostname"), *id ? id : text_of(root, "instanceid"), &keys);
	add_section(out, "user-data", text_of(root, "user-data"));
	return 0;
}

/* ---- all formats ---- */

static const struct {
	const char *what; /* in errors */
	int (*json)(yyjson_val *root, const struct meta_input *in, struct buf *out, struct err *e);
	meta_fn *other;
} formats[] = {
	[META_OPENSTACK] = { "OpenStack's meta_data.json", read_openstack, NULL },
	[META_GCP] = { "Google's metadata", read_gcp, NULL },
	[META_AZURE] = { "Azure's metadata", NULL, meta_azure },
	[META_DIGITALOCEAN] = { "DigitalOcean's metadata", read_digitalocean, NULL },
	[META_VULTR] = { "Vultr's metadata", read_vultr, NULL },
	[META_HETZNER] = { "the metadata", NULL, meta_hetzner },
	[META_AZURE_GOAL] = { "Azure's goal state", NULL, meta_azure_goal },
};

int meta_read(const struct meta_input *in, struct buf *out, struct err *e)
{
	yyjson_doc *doc;
	yyjson_val *root;
	int code;

	if (formats[in->format].other)
		return formats[in->format].other(in, out, e);
	doc = read_json(in->text, formats[in->format].what, e);
	root = yyjson_doc_get_root(doc);
	if (!doc)
		return -EBADMSG;
	if (yyjson_is_obj(root) || yyjson_is_arr(root))
		code = formats[in->format].json(root, in, out, e);
	else
		code = err_set(e, -EBADMSG, "%s is no JSON object", formats[in->format].what);
	yyjson_doc_free(doc);
	return code;
}

static int read_jailed(void *arg, struct buf *out, struct err *e)
{
	return meta_read(arg, out, e);
}

static int add_base64(const struct section *part, struct buf *into, struct err *e)
{
	autofree unsigned char *plain = malloc(part->len + 1);
	size_t len;

	if (!plain || base64_decode(part->data, part->len, plain, part->len, &len) < 0)
		return err_set(e, -EBADMSG, "the user-data is said to be base64 and is not");
	buf_reset(into);
	buf_add(into, plain, len);
	return 0;
}

static int take_sections(const struct buf *answer, struct source *s, struct err *e)
{
	const struct {
		const char *name;
		struct buf *into;
	} places[] = {
		{ "meta-data", &s->meta_data }, { "user-data", &s->user_data },
		{ "vendor-data", &s->vendor_data }, { "network", &s->network },
	};
	struct section part;
	int code = 0;

	for (size_t at = 0; code == 0 && section_next(answer, &at, &part);) {
		if (strcmp(part.name, "user-data-base64") == 0)
			code = add_base64(&part, &s->user_data, e);
		if (strcmp(part.name, "note") == 0) {
			buf_add(&s->notes, part.data, part.len);
			buf_addc(&s->notes, '\n');
		}
		for (size_t i = 0; i < ARRAY_LEN(places); i++) {
			if (strcmp(part.name, places[i].name) != 0)
				continue;
			buf_reset(places[i].into);
			buf_add(places[i].into, part.data, part.len);
		}
	}
	return code;
}

int meta_convert(enum meta_format format, const struct buf *text, const struct buf *more,
		 struct source *s, struct err *e)
{
	static const struct buf none;
	struct meta_input in = { .format = format, .text = text, .more = more ? more : &none };
	struct jail_task task = { .jail = JAIL_PARSE, .fn = read_jailed, .arg = &in,
				  .max_bytes = ANSWER_MAX, .timeout_ms = READ_MS };
	autobuf struct buf answer = { 0 };
	time_t now = time(NULL);
	struct tm tm;
	int code;

	strftime(in.now, sizeof(in.now), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &tm));
	code = jail_run(&task, &answer, e);
	return code < 0 ? code : take_sections(&answer, s, e);
}
