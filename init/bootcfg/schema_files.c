/* Who may log in, and the files that are written: ssh_authorized_keys, write_files. */
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/base64.h"
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
static const char *const encodings[] = { "text/plain", "b64", "base64", NULL };

static const struct type encoding = {
	.kind = TYPE_SCALAR, .name = "encoding", .read = read_text, .words = encodings,
	.expected = "\"text/plain\", \"b64\" or \"base64\" (gzip is not supported yet)",
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
	{ .name = "source", .refused = "not supported yet: give the file's content in \"content\"" },
};

/* The content leaves as base64, whatever it came as: JSON holds no arbitrary bytes. */
static void finish_file(struct walk *w, const struct node *n, yyjson_mut_val *file)
{
	yyjson_mut_val *text = yyjson_mut_obj_get(file, "content");
	const char *how = yyjson_mut_get_str(yyjson_mut_obj_get(file, "encoding"));
	bool coded = how && strcmp(how, "text/plain") != 0;
	autobuf struct buf bytes = { 0 }, out = { 0 };
	size_t len = yyjson_mut_get_len(text);

	for (size_t i = 0; i < n->count && !coded; i++)
		coded = strcmp(n->pairs[i].key->text, "content") == 0 && n->pairs[i].value->binary;
	if (text)
		buf_add(&bytes, yyjson_mut_get_str(text), len);
	if (coded && bytes.len &&
	    base64_decode(bytes.data, bytes.len, (unsigned char *)bytes.data, bytes.len,
			  &bytes.len) < 0)
		walk_fault(w, FAULT_ERROR, n, "the content is no valid base64 text");
	base64_encode(bytes.data, bytes.len, &out);
	yyjson_mut_obj_remove_key(file, "content");
	yyjson_mut_obj_remove_key(file, "encoding");
	yyjson_mut_obj_add_strcpy(w->doc, file, "content_base64", buf_text(&out));
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
