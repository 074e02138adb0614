/* What each text is, and the #cloud-config-archive. In the jail. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/node.h"
#include "bootcfg/parts.h"
#include "bootcfg/section.h"

/* How a text is taken. */
enum kind { KIND_CONFIG, KIND_TYPED, KIND_INCLUDE, KIND_ARCHIVE, KIND_MIME, KIND_REFUSED };

static const struct {
	const char *type;
	enum kind kind;
	const char *why; /* KIND_REFUSED */
} types[] = {
	{ "text/cloud-config", KIND_TYPED, NULL },
	{ "text/x-include-url", KIND_INCLUDE, NULL },
	{ "text/x-include-once-url", KIND_INCLUDE, NULL },
	{ "text/cloud-config-archive", KIND_ARCHIVE, NULL },
	{ "text/x-shellscript", KIND_REFUSED,
	  "a script (text/x-shellscript) is not run: use a container, or runcmd" },
	{ "text/x-shellscript-per-boot", KIND_REFUSED,
	  "scripts are not run: use a container, or bootcmd" },
	{ "text/x-shellscript-per-instance", KIND_REFUSED,
	  "scripts are not run: use a container, or runcmd" },
	{ "text/x-shellscript-per-once", KIND_REFUSED, "scripts are not run: use a container, or runcmd" },
	{ "text/cloud-boothook", KIND_REFUSED, "boot hooks (text/cloud-boothook) are not run" },
	{ "text/part-handler", KIND_REFUSED, "part handlers (text/part-handler) are not run" },
	{ "text/jinja2", KIND_REFUSED, "templates (text/jinja2) are not filled in" },
	{ "text/cloud-config-jsonp", KIND_REFUSED,
	  "JSON patches (text/cloud-config-jsonp) are not applied" },
	{ "text/upstart-job", KIND_REFUSED, "upstart jobs (text/upstart-job) are not run" },
};

/* "#cloud-config" alone is the rule, so it is no row; the others stay for config.c to refuse. */
static const struct {
	const char *start;
	enum kind kind;
} starts[] = {
	{ "#cloud-config-archive", KIND_ARCHIVE },
	{ "#include", KIND_INCLUDE },
};

static enum kind kind_of(const char *type, const struct buf *text, const char **why)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i].type, type) != 0)
			continue;
		*why = types[i].why;
		return types[i].kind;
	}
	if (mime_is(text))
		return KIND_MIME;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (strncmp(buf_text(text), starts[i].start, strlen(starts[i].start)) == 0)
			return starts[i].kind;
	return KIND_CONFIG;
}

static void add_addresses(const struct buf *text, struct buf *out)
{
	autobuf struct buf lines = { 0 };

	for (const char *at = buf_text(text); *at; at += strcspn(at, "\r\n")) {
		size_t len;

		at += strspn(at, " \t\r\n");
		len = strcspn(at, " \t\r\n");
		if (len && *at != '#') {
			buf_add(&lines, at, len);
			buf_addc(&lines, '\n');
		}
	}
	section_add(out, "include", buf_text(&lines), lines.len);
}

static const struct node *entry(const struct node *map, const char *key)
{
	for (size_t i = 0; map->kind == NODE_MAP && i < map->count; i++)
		if (strcmp(map->pairs[i].key->text, key) == 0)
			return map->pairs[i].value;
	return NULL;
}

/* An item is a text, or {type: ..., content: ...}. */
static int add_item(const struct node *item, unsigned depth, struct buf *out, struct err *e)
{
	const struct node *type = entry(item, "type");
	const struct node *content = item->kind == NODE_TEXT ? item : entry(item, "content");
	autobuf struct buf text = { 0 };

	if (!content || content->kind != NODE_TEXT || (type && type->kind != NODE_TEXT))
		return err_set(e, -EBADMSG, "line %u of the archive: found no text, and no mapping with "
			       "\"content\" and \"type\"", item->line);
	buf_add(&text, content->text, content->len);
	return parts_add(type ? type->text : "", &text, depth + 1, out, e);
}

static int add_archive(const struct buf *text, unsigned depth, struct buf *out, struct err *e)
{
	const struct node *root;
	struct node_error error;
	struct node_tree *tree;
	int code = 0;

	if (node_parse(buf_text(text), text->len, &tree, &root, &error) < 0)
		return err_set(e, -EBADMSG, "line %u of the archive: %s", error.line, error.err.text);
	if (root->kind != NODE_LIST)
		code = err_set(e, -EBADMSG, "an archive is a list");
	for (size_t i = 0; code == 0 && root->kind == NODE_LIST && i < root->count && i < PARTS_MAX; i++)
		code = add_item(root->items[i], depth, out, e);
	node_tree_free(tree);
	return code;
}

int parts_add(const char *type, const struct buf *text, unsigned depth, struct buf *out,
	      struct err *e)
{
	autobuf struct buf plain = { 0 };
	const char *why = "";
	int code;

	if (depth > PARTS_DEPTH_MAX)
		return err_set(e, -EBADMSG, "there are more than %d wrappings in each other", PARTS_DEPTH_MAX);
	code = parts_decode(buf_text(text), text->len, &plain, e);
	if (code < 0)
		return code;
	switch (kind_of(type, &plain, &why)) {
	case KIND_CONFIG:
		section_add(out, "config", buf_text(&plain), plain.len);
		return 0;
	case KIND_TYPED:
		section_add(out, "typed", buf_text(&plain), plain.len);
		return 0;
	case KIND_INCLUDE:
		add_addresses(&plain, out);
		return 0;
	case KIND_ARCHIVE:
		return add_archive(&plain, depth, out, e);
	case KIND_MIME:
		return mime_split(&plain, depth + 1, out, e);
	case KIND_REFUSED:
		section_add_text(out, "error", why);
		return 0;
	}
	return 0;
}

int parts_split(const struct buf *raw, struct buf *out, struct err *e)
{
	return parts_add("", raw, 0, out, e);
}
