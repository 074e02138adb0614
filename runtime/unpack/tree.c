#include "unpack/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { BUCKETS_FIRST = 4096, NO_LAYER = -2 };

struct tree {
	struct node *root;
	struct node **buckets;
	size_t bucket_count, node_count;
};

static size_t hash(const struct node *parent, const char *name, size_t len)
{
	uint64_t h = 1469598103934665603u ^ (uint64_t)(uintptr_t)parent;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 1099511628211u;
	return (size_t)(h ^ h >> 29);
}

static struct node *node_new(const char *name, size_t len)
{
	struct node *n = calloc(1, sizeof(*n) + len + 1);

	if (!n)
		return NULL;
	memcpy(n->name, name, len);
	n->entry = -1;
	n->layer = NO_LAYER;
	n->mode = 0755;
	return n;
}

int tree_new(struct tree **out)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->bucket_count = BUCKETS_FIRST;
	t->buckets = calloc(t->bucket_count, sizeof(*t->buckets));
	t->root = node_new("", 0);
	if (!t->buckets || !t->root) {
		tree_free(t);
		return -ENOMEM;
	}
	*out = t;
	return 0;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->buckets && i < t->bucket_count; i++) {
		for (struct node *n = t->buckets[i], *next; n; n = next) {
			next = n->bucket;
			free(n->target);
			free(n);
		}
	}
	free(t->buckets);
	free(t->root);
	free(t);
}

struct node *tree_root(struct tree *t)
{
	return t->root;
}

static struct node *child(struct tree *t, const struct node *parent, const char *name, size_t len)
{
	struct node *n = t->buckets[hash(parent, name, len) % t->bucket_count];

	for (; n; n = n->bucket)
		if (n->parent == parent && !n->gone && strlen(n->name) == len &&
		    !memcmp(n->name, name, len))
			return n;
	return NULL;
}

static int grow(struct tree *t)
{
	size_t count = t->bucket_count * 4;
	struct node **buckets = calloc(count, sizeof(*buckets));

	if (!buckets)
		return -ENOMEM;
	for (size_t i = 0; i < t->bucket_count; i++) {
		for (struct node *n = t->buckets[i], *next; n; n = next) {
			struct node **b = &buckets[hash(n->parent, n->name, strlen(n->name)) % count];

			next = n->bucket;
			n->bucket = *b;
			*b = n;
		}
	}
	free(t->buckets);
	t->buckets = buckets;
	t->bucket_count = count;
	return 0;
}

static struct node *add_child(struct tree *t, struct node *parent, const char *name, size_t len)
{
	struct node **b, *n;

	if (t->node_count >= t->bucket_count && grow(t) < 0)
		return NULL;
	n = node_new(name, len);
	if (!n)
		return NULL;
	b = &t->buckets[hash(parent, name, len) % t->bucket_count];
	n->bucket = *b;
	*b = n;
	n->parent = parent;
	n->next = parent->children;
	parent->children = n;
	t->node_count++;
	return n;
}

int tree_clean(const char *raw, char out[TREE_PATH_MAX], struct err *e)
{
	size_t used = 0, depth = 0;

	if (*raw == '/')
		return err_set(e, -EINVAL, "has an absolute path");
	while (*raw) {
		size_t n;

		raw += strspn(raw, "/");
		n = strcspn(raw, "/");
		if (n == 2 && !memcmp(raw, "..", 2))
			return err_set(e, -EINVAL, "has \"..\" in its path");
		if (n > TREE_NAME_MAX)
			return err_set(e, -ENAMETOOLONG, "has a name of %zu bytes, at most %d are "
				       "allowed", n, TREE_NAME_MAX);
		if (n && !(n == 1 && *raw == '.')) {
			if (used + n + 2 > TREE_PATH_MAX || ++depth > TREE_DEPTH_MAX)
				return err_set(e, -ENAMETOOLONG, "has a path longer than %d bytes or "
					       "deeper than %d", TREE_PATH_MAX, TREE_DEPTH_MAX);
			if (used)
				out[used++] = '/';
			memcpy(out + used, raw, n);
			used += n;
		}
		raw += n;
	}
	out[used] = '\0';
	return 0;
}

/* What a walk has left to do: the rest of the path, symlinks' targets put in front. */
struct walk {
	struct tree *tree;
	char rest[2 * TREE_PATH_MAX];
	int links;
};

static int follow(struct walk *w, const char *target, const char *tail)
{
	char joined[sizeof(w->rest)];
	size_t a = strlen(target), b = strlen(tail);

	if (++w->links > TREE_LINKS_MAX)
		return -ELOOP;
	if (a + b + 2 > sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(joined, target, a);
	joined[a] = '/';
	memcpy(joined + a + 1, tail, b + 1);
	memcpy(w->rest, joined, a + b + 2);
	return 0;
}

static void remove_node(struct node *n)
{
	n->gone = true;
	for (struct node *c = n->children; c; c = c->next)
		if (!c->gone)
			remove_node(c);
}

/* A fresh node in the place of one of another kind. What the same layer hid stays hidden. */
static struct node *replace(struct tree *t, struct node *old, int layer)
{
	struct node *n = add_child(t, old->parent, old->name, strlen(old->name));

	if (!n)
		return NULL;
	n->hides = old->hides && old->layer == layer;
	n->layer = n->hides ? layer : NO_LAYER;
	remove_node(old);
	return n;
}

/* The directory `name` in `at`, made in `layer` if that is not NO_LAYER. 0 or -errno. */
static int enter(struct tree *t, struct node **at, struct node *next, const char *name, size_t len,
		 int layer)
{
	if (next && next->kind == NODE_WHITEOUT)
		next = layer == NO_LAYER ? NULL : replace(t, next, layer);
	else if (!next && layer != NO_LAYER)
		next = add_child(t, *at, name, len);
	if (!next)
		return layer == NO_LAYER ? -ENOENT : -ENOMEM;
	if (next->kind != NODE_DIR)
		return -ENOTDIR;
	*at = next;
	return 0;
}

/* Walks all but the last component, following symlinks within the tree. Missing directories are
 * made for `layer`, or end the walk with -ENOENT. Gives the parent and the last name. */
static int walk_parent(struct walk *w, const char *path, int layer, struct node **parent,
		       char last[TREE_NAME_MAX + 1])
{
	struct node *at = w->tree->root;
	const char *slash = strrchr(path, '/');
	size_t head = slash ? (size_t)(slash - path) : 0;

	strcpy(last, slash ? slash + 1 : path);
	memcpy(w->rest, path, head);
	w->rest[head] = '\0';
	for (const char *p = w->rest; *p;) {
		struct node *next;
		size_t n;
		int rc = 0;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (!n || (n == 1 && *p == '.')) {
			p += n;
			continue;
		}
		if (n == 2 && !memcmp(p, "..", 2)) {
			at = at->parent ? at->parent : at;
			p += n;
			continue;
		}
		if (n > TREE_NAME_MAX)
			return -ENAMETOOLONG;
		next = child(w->tree, at, p, n);
		if (next && next->kind == NODE_SYMLINK) {
			if (*next->target == '/')
				at = w->tree->root;
			rc = follow(w, next->target, p + n);
			if (rc < 0)
				return rc;
			p = w->rest;
			continue;
		}
		rc = enter(w->tree, &at, next, p, n, layer);
		if (rc < 0)
			return rc;
		p += n;
	}
	*parent = at;
	return 0;
}

struct node *tree_find(struct tree *t, const char *path)
{
	struct walk w = { .tree = t };
	struct node *parent;
	char last[TREE_NAME_MAX + 1];

	if (!*path)
		return t->root;
	if (walk_parent(&w, path, NO_LAYER, &parent, last) < 0)
		return NULL;
	return child(t, parent, last, strlen(last));
}

/* The layer now has this directory, whether it lists it or not. */
static void mark(struct node *n, int layer)
{
	for (; n && n->layer != layer; n = n->parent) {
		n->layer = layer;
		n->entry = -1;
		n->hides = n->opaque = n->written = false;
	}
}

int tree_touch(struct tree *t, const char *path, enum node_kind kind, int layer, struct node **out,
	       struct err *e)
{
	struct walk w = { .tree = t };
	struct node *parent, *n;
	char last[TREE_NAME_MAX + 1];
	int rc = 0;

	if (!*path && kind == NODE_DIR) {
		mark(t->root, layer);
		*out = t->root;
		return 0;
	}
	if (!*path)
		return err_set(e, -EINVAL, "is the root and not a directory");
	rc = walk_parent(&w, path, layer, &parent, last);
	if (rc < 0)
		return err_code(e, rc, "cannot lie where its path says");
	mark(parent, layer);
	n = child(t, parent, last, strlen(last));
	if (!n)
		n = add_child(t, parent, last, strlen(last));
	else if (n->kind != NODE_DIR || kind != NODE_DIR)
		n = replace(t, n, layer);
	else
		mark(n, layer);
	if (!n)
		return err_set(e, -ENOMEM, "out of memory");
	n->kind = kind;
	n->layer = layer;
	*out = n;
	return 0;
}

int tree_hide(struct tree *t, const char *path, int layer, long entry, struct node **out,
	      struct err *e)
{
	struct node *n = tree_find(t, path);
	int rc;

	/* The layer's own file of that name stays, whichever comes first in the archive. */
	if (n && n->layer == layer && n->kind != NODE_WHITEOUT) {
		n->hides = true;
		tree_hide_below(n, layer);
		*out = NULL;
		return 0;
	}
	rc = tree_touch(t, path, NODE_WHITEOUT, layer, &n, e);
	if (rc < 0)
		return rc;
	n->hides = true;
	n->entry = entry;
	*out = n;
	return 0;
}

void tree_hide_below(struct node *dir, int layer)
{
	for (struct node *c = dir->children; c; c = c->next) {
		if (c->gone)
			continue;
		if (c->layer != layer)
			remove_node(c);
		else if (c->kind == NODE_DIR)
			tree_hide_below(c, layer);
	}
}

int tree_path(const struct node *n, char out[TREE_PATH_MAX])
{
	char *p = out + TREE_PATH_MAX - 1;

	*p = '\0';
	for (; n->parent; n = n->parent) {
		size_t len = strlen(n->name);

		if ((size_t)(p - out) < len + 1)
			return -ENAMETOOLONG;
		p -= len;
		memcpy(p, n->name, len);
		if (n->parent->parent)
			*--p = '/';
	}
	memmove(out, p, strlen(p) + 1);
	return 0;
}
