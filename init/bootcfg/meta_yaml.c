/* Metadata that is YAML with other texts in it: Hetzner's (docs.hetzner.cloud "Server metadata")
 * and VMware's guestinfo.metadata. The network's part is cut out of the text by its lines, since
 * it is another parser's. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/meta.h"
#include "bootcfg/node.h"
#include "bootcfg/section.h"

static const struct node *value_of(const struct node *map, const char *key)
{
	for (size_t i = 0; map->kind == NODE_MAP && i < map->count; i++)
		if (strcmp(map->pairs[i].key->text, key) == 0)
			return map->pairs[i].value;
	return NULL;
}

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *n = value_of(map, key);

	return n && n->kind == NODE_TEXT && !n->null ? n->text : "";
}

static void add_keys(const struct node *n, struct buf *out)
{
	if (n && n->kind == NODE_TEXT)
		buf_addf(out, "%s\n", n->text);
	for (size_t i = 0; n && n->kind == NODE_LIST && i < n->count; i++)
		if (n->items[i]->kind == NODE_TEXT)
			buf_addf(out, "%s\n", n->items[i]->text);
}

/* The lines of a key at the left margin, up to the next one, under "network:". */
static void add_network(const char *text, const char *key, struct buf *out)
{
	size_t len = strlen(key);
	autobuf struct buf lines = { 0 };
	const char *at = text;

	while (*at && (strncmp(at, key, len) != 0 || at[len] != ':')) {
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	if (!*at)
		return;
	buf_addf(&lines, "network%.*s\n", (int)strcspn(at + len, "\n"), at + len);
	for (at += strcspn(at, "\n"); *at == '\n'; at += strcspn(at, "\n")) {
		at++;
		/* A list may stand at the margin of its key. */
		if (!*at || !strchr(" -#\n", *at))
			break;
		buf_add(&lines, at, strcspn(at, "\n"));
		buf_addc(&lines, '\n');
	}
	section_add(out, "network", buf_text(&lines), lines.len);
}

int meta_hetzner(const struct meta_input *in, struct buf *out, struct err *e)
{
	const char *text = buf_text(in->text);
	autobuf struct buf keys = { 0 }, meta = { 0 };
	const struct node *root;
	struct node_tree *tree;
	struct node_error error;
	const char *host;

	if (node_parse(text, in->text->len, &tree, &root, &error) < 0)
		return err_set(e, -EBADMSG, "the metadata is no YAML: line %u: %s", error.line,
			       error.err.text);
	host = text_of(root, "local-hostname");
	add_keys(value_of(root, "public-keys"), &keys);
	meta_write(&(struct meta_facts){ *host ? host : text_of(root, "hostname"),
					 text_of(root, "instance-id"), buf_text(&keys) }, &meta);
	section_add(out, "meta-data", buf_text(&meta), meta.len);
	if (*text_of(root, "vendor_data"))
		section_add_text(out, "vendor-data", text_of(root, "vendor_data"));
	node_tree_free(tree);
	add_network(text, "network-config", out);
	add_network(text, "network", out);
	return 0;
}
