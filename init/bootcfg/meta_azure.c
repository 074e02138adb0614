/* Azure: the metadata service's JSON, the provisioning disk's ovf-env.xml and the wire server's
 * goal state. Of XML only what those two texts are: elements with a text, found by their local
 * name. Sources: learn.microsoft.com "Azure Instance Metadata Service", "Creating generalized
 * images without a provisioning agent". */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yyjson.h>

#include "base/cleanup.h"
#include "bootcfg/meta.h"
#include "bootcfg/section.h"

static const struct {
	const char *name;
	char is;
} entities[] = {
	{ "lt;", '<' }, { "gt;", '>' }, { "amp;", '&' }, { "quot;", '"' }, { "apos;", '\'' },
};

static void add_unescaped(const char *text, size_t len, struct buf *out)
{
	for (const char *at = text; at < text + len; at++) {
		char c = *at;

		for (size_t i = 0; c == '&' && i < ARRAY_LEN(entities); i++) {
			size_t n = strlen(entities[i].name);

			if (strncmp(at + 1, entities[i].name, n) != 0)
				continue;
			c = entities[i].is;
			at += n;
			break;
		}
		buf_addc(out, c);
	}
}

/* The element's text, from `*at` on, which moves behind it. "ns:Name" is Name. */
static bool next_element(const char **at, const char *name, struct buf *out)
{
	size_t len = strlen(name);

	for (const char *tag = *at; (tag = strchr(tag, '<')); ) {
		const char *word = ++tag, *colon = word + strcspn(word, ": \t\r\n/>");

		if (*colon == ':')
			word = colon + 1;
		tag += strcspn(tag, "<>");
		if (*tag != '>' || tag[-1] == '/' || strncmp(word, name, len) != 0 ||
		    !strchr(" \t\r\n>", word[len]))
			continue;
		add_unescaped(tag + 1, strcspn(tag + 1, "<"), out);
		*at = tag + 1;
		return true;
	}
	return false;
}

static const char *trimmed(struct buf *text)
{
	while (text->len && strchr(" \t\r\n", text->data[text->len - 1]))
		text->data[--text->len] = '\0';
	return buf_text(text) + strspn(buf_text(text), " \t\r\n");
}

static const char *element(const char *xml, const char *name, struct buf *room)
{
	next_element(&xml, name, room);
	return trimmed(room);
}

static const char *text_of(yyjson_val *object, const char *name)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, name));

	return text ? text : "";
}

static void add_json_keys(yyjson_val *compute, struct buf *keys)
{
	yyjson_val *list = yyjson_obj_get(compute, "publicKeys"), *item;
	size_t i, max;

	if (!yyjson_is_arr(list))
		return;
	yyjson_arr_foreach(list, i, max, item) {
		buf_addf(keys, "%s\n", text_of(item, "keyData"));
	}
}

/* <PublicKey><Fingerprint/><Path/><Value>ssh-rsa ...</Value></PublicKey> */
static void add_xml_keys(const char *xml, struct buf *keys)
{
	const char *at = strstr(xml, "PublicKeys>");

	while (at) {
		autobuf struct buf key = { 0 };

		if (!next_element(&at, "Value", &key))
			break;
		buf_addf(keys, "%s\n", trimmed(&key));
	}
}

int meta_azure(const struct meta_input *in, struct buf *out, struct err *e)
{
	yyjson_doc *doc = in->text->len ? yyjson_read(in->text->data, in->text->len, 0) : NULL;
	yyjson_val *compute = yyjson_obj_get(yyjson_doc_get_root(doc), "compute");
	const char *xml = buf_text(in->more), *host, *data;
	autobuf struct buf name = { 0 }, custom = { 0 }, keys = { 0 }, meta = { 0 };

	if (in->text->len && !yyjson_is_obj(compute)) {
		yyjson_doc_free(doc);
		return err_set(e, -EBADMSG, "Azure's metadata is no JSON with \"compute\"");
	}
	host = element(xml, "HostName", &name);
	if (!*host)
		host = text_of(yyjson_obj_get(compute, "osProfile"), "computerName");
	if (!*host)
		host = text_of(compute, "name");
	add_json_keys(compute, &keys);
	add_xml_keys(xml, &keys);
	meta_write(&(struct meta_facts){ host, text_of(compute, "vmId"), buf_text(&keys) }, &meta);
	section_add(out, "meta-data", buf_text(&meta), meta.len);
	/* Custom data is what provisioning is told; user data is there for later as well. */
	data = element(xml, "CustomData", &custom);
	if (!*data)
		data = text_of(compute, "userData");
	if (*data)
		section_add_text(out, "user-data-base64", data);
	yyjson_doc_free(doc);
	return 0;
}

/* What the health report names, as "user-data" (nothing else comes of it): the three texts. */
int meta_azure_goal(const struct meta_input *in, struct buf *out, struct err *e)
{
	static const char *const names[] = { "Incarnation", "ContainerId", "InstanceId" };
	autobuf struct buf text = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		autobuf struct buf room = { 0 };
		const char *value = element(buf_text(in->text), names[i], &room);

		if (!*value || value[strcspn(value, "<>&\n \t")])
			return err_set(e, -EBADMSG, "Azure's goal state has no %s", names[i]);
		buf_addf(&text, "%s\n", value);
	}
	section_add(out, "user-data", buf_text(&text), text.len);
	return 0;
}
