/* Who may log in, and the files that are written: ssh_authorized_keys, write_files. */
#include <string.h>

#include "base/cleanup.h"
#include "base/base64.h"
#include "bootcfg/parts.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

/* ---- ssh_authorized_keys ---- */
static const struct type ssh_key = {
	.kind = TYPE_SCALAR, .name = "SSH public key", .read = read_text, .check = check_ssh_key,
	.expected = "a public key's line such as \"ssh-ed25519 AAAA... me@laptop\"",
};
const struct type type_ssh_keys = {
	.kind = TYPE_LIST, .name = "list of SSH public keys", .item = &ssh_key, .single = true,
	.expected = "a list of public keys",
};

/* ---- write_files ---- */
static const char *const encodings[] = {
	"text/plain", "b64",       "base64",   "gz",          "gzip",
	"gz+b64",     "gz+base64", "gzip+b64", "gzip+base64", NULL,
};

static const struct type encoding = {
	.kind = TYPE_SCALAR, .name = "encoding", .read = read_text, .words = encodings,
	.expected = "\"text/plain\", \"base64\" (\"b64\"), \"gzip\" (\"gz\") or \"gzip+base64\"",
};
static const struct type content = {
	.kind = TYPE_SCALAR, .name = "text", .read = read_text, .expected = "a text",
	.secret = true,
};
static const struct type permissions = {
	.kind = TYPE_SCALAR, .name = "octal mode", .read = read_octal, .max = 07777,
	.expected = "octal permissions such as \"0644\"",
};
static const struct type owner = {
	.kind = TYPE_SCALAR, .name = "owner", .read = read_text, .check = check_owner,
	.expected = "USER or USER:GROUP such as \"root:root\"",
};
static const struct type file_path = {
	.kind = TYPE_SCALAR, .name = "path", .read = read_text, .check = check_absolute_path,
	.expected = "an absolute path",
};

/* ---- source ---- */
static const struct type source_uri = {
	.kind = TYPE_SCALAR, .name = "address", .read = read_text, .check = check_web_address,
	.expected = "an address such as \"https://example.org/app.conf\"",
};
static const char *check_header_name(const char *text)
{
	return text[strcspn(text, ": \t\r\n")] || !*text ? "a header's name has no blank and no colon" :
							    NULL;
}
static const char *check_header_value(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return "it holds a control character";
	return NULL;
}
static const struct type header_value = {
	.kind = TYPE_SCALAR, .name = "text", .read = read_text, .check = check_header_value,
	.secret = true,
	.expected = "a text of one line",
};
static const struct type headers = {
	.kind = TYPE_MAP, .name = "headers", .item = &header_value, .check = check_header_name,
	.count_max = 16, .expected = "a mapping such as \"Authorization: Basic ...\"",
};
static const struct key source_keys[] = {
	{ .name = "uri", .type = &source_uri, .required = true,
	  .example = "https://example.org/app.conf", .help = "The address, http or https." },
	{ .name = "headers", .type = &headers, .normal = "none",
	  .example = "{Authorization: \"Basic bWU6c2VjcmV0\"}",
	  .help = "Headers that go with the question." },
};
static const struct type file_source = {
	.kind = TYPE_OBJECT, .name = "source of a file", .keys = source_keys,
	.key_count = ARRAY_LEN(source_keys), .expected = "a mapping with \"uri\"",
};

static const struct key file_keys[] = {
	{ .name = "path", .type = &file_path, .required = true, .example = "/etc/app.conf",
	  .help = "The file; missing folders are made." },
	{ .name = "content", .type = &content, .normal = "an empty file", .example = "\"hello\\n\"",
	  .help = "What the file holds." },
	{ .name = "encoding", .type = &encoding, .normal = "text/plain", .example = "base64",
	  .help = "How the content is written here." },
	{ .name = "permissions", .type = &permissions, .normal = "0644", .example = "\"0600\"",
	  .help = "Its mode, octal." },
	{ .name = "owner", .type = &owner, .normal = "root:root", .example = "root:root",
	  .help = "User and group, by name or number." },
	{ .name = "append", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Add to what the image's file holds instead of replacing it." },
	{ .name = "defer", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Written at the end of the boot, when containers and mounts are there." },
	{ .name = "source", .type = &file_source, .normal = "content",
	  .example = "{uri: \"https://example.org/app.conf\"}",
	  .help = "Where the file is fetched from, at the end of the boot, as with defer. What cannot be "
		  "fetched is \"content\", if that is there." },
};

/* Only a "!!binary" has bytes that are no text; libyaml leaves it as base64. */
static bool content_is_binary(const struct node *n)
{
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->pairs[i].key->text, "content") == 0)
			return n->pairs[i].value->binary;
	return false;
}

/* The file's bytes. NULL, or what is wrong. */
static const char *decode(const struct node *n, yyjson_mut_val *file, struct buf *out,
			  struct err *e)
{
	yyjson_mut_val *text = yyjson_mut_obj_get(file, "content");
	const char *how = yyjson_mut_get_str(yyjson_mut_obj_get(file, "encoding"));
	bool base64 = content_is_binary(n) || (how && strstr(how, "64")), gzip = how && *how == 'g';
	autobuf struct buf bytes = { 0 };

	if (text)
		buf_add(&bytes, yyjson_mut_get_str(text), yyjson_mut_get_len(text));
	if (base64 && bytes.len &&
	    base64_decode(bytes.data, bytes.len, (unsigned char *)bytes.data, bytes.len, &bytes.len) < 0)
		return "the content is no valid base64 text";
	if (gzip && bytes.len)
		return parts_gunzip(bytes.data, bytes.len, out, e) < 0 ? e->text : NULL;
	buf_add(out, buf_text(&bytes), bytes.len);
	return NULL;
}

/* The content leaves as base64, whatever it came as: JSON holds no arbitrary bytes. */
static void finish_file(struct walk *w, const struct node *n, yyjson_mut_val *file)
{
	autobuf struct buf bytes = { 0 }, out = { 0 };
	struct err e = { "" };
	const char *fault = decode(n, file, &bytes, &e);

	if (fault)
		walk_fault(w, FAULT_ERROR, n, "%s", fault);
	base64_encode(bytes.data, bytes.len, &out);
	if (yyjson_mut_obj_get(file, "source")) { /* the network is there at the end of the boot */
		yyjson_mut_obj_remove_key(file, "defer");
		yyjson_mut_obj_add_bool(w->doc, file, "defer", true);
	}
	if (!yyjson_mut_obj_get(file, "source") || yyjson_mut_obj_get(file, "content"))
		yyjson_mut_obj_add_strcpy(w->doc, file, "content_base64", buf_text(&out));
	yyjson_mut_obj_remove_key(file, "content");
	yyjson_mut_obj_remove_key(file, "encoding");
}

static const struct type file = {
	.kind = TYPE_OBJECT, .name = "file", .keys = file_keys, .key_count = ARRAY_LEN(file_keys),
	.expected = "a mapping with \"path\" and \"content\"", .atomic = true,
	.finish = finish_file,
};
const struct type type_files = {
	.kind = TYPE_LIST, .name = "list of files", .item = &file,
	.expected = "a list of files, each with \"path\" and \"content\"",
};
