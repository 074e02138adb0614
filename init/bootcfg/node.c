#include "bootcfg/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "bootcfg/yaml_words.h"

enum {
	TEXT_MAX = 1024 * 1024,
	NODES_MAX = 100000,
	DEPTH_MAX = 32,
	ANCHORS_MAX = 1000,
	CHUNK_BYTES = 64 * 1024,
};

struct chunk {
	struct chunk *next;
	size_t used, room;
	_Alignas(max_align_t) char bytes[];
};

struct anchor {
	const char *name;
	struct node *node;
};

struct node_tree {
	struct chunk *chunks;
	struct anchor anchors[ANCHORS_MAX];
	size_t anchor_count;
	size_t node_count;
};

/* One parse: the tree that grows, libyaml's parser, what went wrong. */
struct reader {
	struct node_tree *tree;
	yaml_parser_t yaml;
	const char *text;
	size_t len;
	struct node_error *error;
	unsigned depth;
};

static void *tree_alloc(struct node_tree *t, size_t size)
{
	struct chunk *c = t->chunks;

	size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!c || c->room - c->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		c = malloc(sizeof(*c) + room);
		if (!c)
			return NULL;
		*c = (struct chunk){ .next = t->chunks, .room = room };
		t->chunks = c;
	}
	c->used += size;
	return memset(c->bytes + c->used - size, 0, size);
}

void node_tree_free(struct node_tree *tree)
{
	if (!tree)
		return;
	while (tree->chunks) {
		struct chunk *next = tree->chunks->next;

		free(tree->chunks);
		tree->chunks = next;
	}
	free(tree);
}

static int refuse(struct reader *r, yaml_mark_t at, int code, const char *sentence)
{
	r->error->line = (unsigned)at.line + 1;
	r->error->column = (unsigned)at.column + 1;
	return err_set(&r->error->err, code, "%s", sentence);
}

static int refuse_memory(struct reader *r)
{
	return refuse(r, r->yaml.mark, -ENOMEM, "there is not enough memory for this text");
}

static int next_event(struct reader *r, yaml_event_t *event)
{
	yaml_mark_t at;
	const char *sentence;

	if (yaml_parser_parse(&r->yaml, event))
		return 0;
	sentence = yaml_words(&r->yaml, r->text, r->len, &at);
	return refuse(r, at, -EBADMSG, sentence);
}

static struct node *new_node(struct reader *r, enum node_kind kind, yaml_mark_t at)
{
	struct node *n;

	if (++r->tree->node_count > NODES_MAX) {
		refuse(r, at, -E2BIG, "there are more than 100000 values in this text");
		return NULL;
	}
	n = tree_alloc(r->tree, sizeof(*n));
	if (!n) {
		refuse_memory(r);
		return NULL;
	}
	n->kind = kind;
	n->line = (unsigned)at.line + 1;
	n->column = (unsigned)at.column + 1;
	return n;
}

static char *copy_text(struct reader *r, const void *text, size_t len)
{
	char *copy = tree_alloc(r->tree, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

static int keep_anchor(struct reader *r, const yaml_char_t *name, struct node *n,
		       yaml_mark_t at)
{
	struct node_tree *t = r->tree;
	char *copy;

	if (!name)
		return 0;
	if (t->anchor_count == ANCHORS_MAX)
		return refuse(r, at, -E2BIG, "there are more than 1000 anchors in this text");
	copy = copy_text(r, name, strlen((const char *)name));
	if (!copy)
		return refuse_memory(r);
	t->anchors[t->anchor_count++] = (struct anchor){ copy, n };
	return 0;
}

/* The newest anchor of a name counts (YAML 1.1, 3.2.2.2). */
static int find_anchor(struct reader *r, const yaml_event_t *ev, struct node **out)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct node_tree *t = r->tree;

	for (size_t i = t->anchor_count; i-- > 0;) {
		if (strcmp(t->anchors[i].name, name) != 0)
			continue;
		if (t->anchors[i].node->open)
			return refuse(r, ev->start_mark, -ELOOP,
				      "an alias refers to the value that it is part of");
		*out = t->anchors[i].node;
		return 0;
	}
	refuse(r, ev->start_mark, -ENOENT, "");
	return err_set(&r->error->err, -ENOENT,
		       "there is no anchor \"&%.60s\" before this alias", name);
}

static bool is_null_text(const char *text)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

static int read_text(struct reader *r, const yaml_event_t *ev, struct node **out)
{
	const char *tag = (const char *)ev->data.scalar.tag;
	struct node *n = new_node(r, NODE_TEXT, ev->start_mark);

	if (!n)
		return -ENOMEM;
	if (memchr(ev->data.scalar.value, 0, ev->data.scalar.length))
		return refuse(r, ev->start_mark, -EILSEQ, "a text holds a NUL character");
	n->len = ev->data.scalar.length;
	n->text = copy_text(r, ev->data.scalar.value, n->len);
	if (!n->text)
		return refuse_memory(r);
	n->null = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null_text(n->text);
	n->binary = tag && strcmp(tag, "tag:yaml.org,2002:binary") == 0;
	*out = n;
	return keep_anchor(r, ev->data.scalar.anchor, n, ev->start_mark);
}

static int read_value(struct reader *r, const yaml_event_t *ev, struct node **out);

/* Doubles an array of the tree when it is full; the old one stays in the tree until the end. */
static void *grow(struct reader *r, void *old, size_t count, size_t item)
{
	void *bigger;

	if (count & (count - 1))
		return old;
	bigger = tree_alloc(r->tree, (count ? count * 2 : 1) * item);
	if (bigger && count)
		memcpy(bigger, old, count * item);
	return bigger;
}

static int read_list(struct reader *r, struct node *list)
{
	for (;;) {
		__attribute__((cleanup(yaml_event_delete))) yaml_event_t ev = { 0 };
		struct node *item = NULL;
		int code = next_event(r, &ev);

		if (code < 0 || ev.type == YAML_SEQUENCE_END_EVENT)
			return code;
		code = read_value(r, &ev, &item);
		if (code < 0)
			return code;
		list->items = grow(r, list->items, list->count, sizeof(*list->items));
		if (!list->items)
			return refuse_memory(r);
		list->items[list->count++] = item;
	}
}

static struct node_pair *find_pair(const struct node *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->pairs[i].key->text, key) == 0)
			return &map->pairs[i];
	return NULL;
}

static int add_pair(struct reader *r, struct node *map, struct node_pair pair)
{
	if (++r->tree->node_count > NODES_MAX)
		return refuse(r, r->yaml.mark, -E2BIG,
			      "there are more than 100000 values in this text");
	map->pairs = grow(r, map->pairs, map->count, sizeof(*map->pairs));
	if (!map->pairs)
		return refuse_memory(r);
	map->pairs[map->count++] = pair;
	return 0;
}

static int merge_map(struct reader *r, struct node *into, const struct node *from)
{
	int code = 0;

	for (size_t i = 0; i < from->count && code == 0; i++) {
		struct node_pair pair = from->pairs[i];

		pair.merged = true;
		pair.first_line = 0;
		if (!find_pair(into, pair.key->text))
			code = add_pair(r, into, pair);
	}
	return code;
}

/* "<<" takes a mapping or a list of them; what the mapping says itself goes first, then the
 * earlier of the list (https://yaml.org/type/merge.html). */
static int merge(struct reader *r, struct node *map, const struct node *from)
{
	int code = 0;

	if (from->kind == NODE_MAP)
		return merge_map(r, map, from);
	for (size_t i = 0; from->kind == NODE_LIST && i < from->count && code == 0; i++) {
		if (from->items[i]->kind != NODE_MAP)
			break;
		code = merge_map(r, map, from->items[i]);
		if (i + 1 == from->count)
			return code;
	}
	if (code < 0 || (from->kind == NODE_LIST && from->count == 0))
		return code;
	r->error->line = from->line;
	r->error->column = from->column;
	return err_set(&r->error->err, -EINVAL,
		       "a merge key \"<<\" takes a mapping, or a list of mappings");
}

static int read_pair(struct reader *r, struct node *map, const yaml_event_t *key_event,
		     const struct node **merged)
{
	__attribute__((cleanup(yaml_event_delete))) yaml_event_t ev = { 0 };
	struct node_pair pair = { 0 };
	const struct node_pair *before;
	struct node *key = NULL;
	int code = read_value(r, key_event, &key);

	if (code < 0)
		return code;
	if (key->kind != NODE_TEXT)
		return refuse(r, key_event->start_mark, -EINVAL,
			      "a key must be a text, not a list or a mapping");
	code = next_event(r, &ev);
	if (code == 0)
		code = read_value(r, &ev, &pair.value);
	if (code < 0)
		return code;
	if (strcmp(key->text, "<<") == 0 && !*merged) {
		*merged = pair.value;
		return 0;
	}
	before = find_pair(map, key->text);
	pair.key = key;
	pair.first_line = before ? before->key->line : 0;
	return add_pair(r, map, pair);
}

static int read_map(struct reader *r, struct node *map)
{
	const struct node *merged = NULL;
	int code;

	for (;;) {
		__attribute__((cleanup(yaml_event_delete))) yaml_event_t ev = { 0 };

		code = next_event(r, &ev);
		if (code < 0)
			return code;
		if (ev.type == YAML_MAPPING_END_EVENT)
			return merged ? merge(r, map, merged) : 0;
		code = read_pair(r, map, &ev, &merged);
		if (code < 0)
			return code;
	}
}

static int read_nested(struct reader *r, const yaml_event_t *ev, struct node **out)
{
	bool is_list = ev->type == YAML_SEQUENCE_START_EVENT;
	struct node *n;
	int code;

	if (r->depth == DEPTH_MAX)
		return refuse(r, ev->start_mark, -E2BIG,
			      "values are nested more than 32 levels deep");
	n = new_node(r, is_list ? NODE_LIST : NODE_MAP, ev->start_mark);
	if (!n)
		return -ENOMEM;
	code = keep_anchor(r,
			   is_list ? ev->data.sequence_start.anchor :
				     ev->data.mapping_start.anchor,
			   n, ev->start_mark);
	if (code < 0)
		return code;
	n->open = true;
	r->depth++;
	code = is_list ? read_list(r, n) : read_map(r, n);
	r->depth--;
	n->open = false;
	if (code == 0)
		*out = n;
	return code;
}

static int read_value(struct reader *r, const yaml_event_t *ev, struct node **out)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return read_text(r, ev, out);
	case YAML_ALIAS_EVENT:
		return find_anchor(r, ev, out);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return read_nested(r, ev, out);
	default:
		return refuse(r, ev->start_mark, -EBADMSG, "a value is missing here");
	}
}

/* STREAM-START [DOCUMENT-START value DOCUMENT-END] STREAM-END, and no second document. */
static int read_stream(struct reader *r, struct node **root)
{
	for (;;) {
		__attribute__((cleanup(yaml_event_delete))) yaml_event_t ev = { 0 };
		int code = next_event(r, &ev);

		if (code < 0 || ev.type == YAML_STREAM_END_EVENT)
			return code;
		if (ev.type == YAML_STREAM_START_EVENT || ev.type == YAML_DOCUMENT_END_EVENT)
			continue;
		if (ev.type == YAML_DOCUMENT_START_EVENT && *root)
			return refuse(r, ev.start_mark, -EINVAL,
				      "a second YAML document begins here; a configuration is "
				      "one document");
		if (ev.type == YAML_DOCUMENT_START_EVENT)
			continue;
		code = read_value(r, &ev, root);
		if (code < 0)
			return code;
	}
}

static int read_all(struct reader *r, struct node **root)
{
	int code;

	if (r->len > TEXT_MAX)
		return refuse(r, (yaml_mark_t){ 0 }, -EFBIG, "the text is longer than 1 MiB");
	if (!yaml_parser_initialize(&r->yaml))
		return refuse_memory(r);
	yaml_parser_set_input_string(&r->yaml, (const unsigned char *)r->text, r->len);
	code = read_stream(r, root);
	if (code == 0 && (!*root || (*root)->null)) {
		*root = new_node(r, NODE_MAP, (yaml_mark_t){ 0 });
		code = *root ? 0 : -ENOMEM;
	}
	yaml_parser_delete(&r->yaml);
	return code;
}

int node_parse(const char *text, size_t len, struct node_tree **out, const struct node **root,
	       struct node_error *error)
{
	struct reader r = { .tree = calloc(1, sizeof(*r.tree)), .error = error, .text = text,
			    .len = len };
	struct node *top = NULL;
	int code;

	*error = (struct node_error){ .line = 1, .column = 1 };
	if (!r.tree)
		return err_sys(&error->err, "cannot read the text");
	code = read_all(&r, &top);
	if (code < 0) {
		node_tree_free(r.tree);
		return code;
	}
	*out = r.tree;
	*root = top;
	return 0;
}

const char *node_found(const struct node *n, char out[NODE_FOUND_MAX])
{
	enum { SHOWN = 60 };
	size_t used = 0;

	if (n->kind == NODE_LIST)
		return n->count ? "a list" : "an empty list";
	if (n->kind == NODE_MAP)
		return n->count ? "a mapping" : "an empty mapping";
	if (n->null)
		return "nothing";
	out[used++] = '"';
	for (size_t i = 0; i < n->len; i++) {
		unsigned char c = (unsigned char)n->text[i];

		if (used >= SHOWN && (c & 0xc0) != 0x80) {
			memcpy(out + used, "...", 3);
			used += 3;
			break;
		}
		out[used++] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	out[used++] = '"';
	out[used] = '\0';
	return out;
}
