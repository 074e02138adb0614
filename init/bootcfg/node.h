/* A YAML document as a tree of nodes that know where they stand. An alias is the anchored node
 * itself (so the tree is a graph without cycles, and whoever walks it must count its steps);
 * merge keys ("<<") are already merged. Text is kept as written: what "0644" or "no" means is for
 * the schema to say, not for YAML's guessing.
 * Source: YAML 1.1 as libyaml reads it; limits in node.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

struct node;

struct node_pair {
	const struct node *key; /* always text */
	struct node *value;
	unsigned first_line;    /* not 0: the key was there before, in this line */
	bool merged;            /* came by "<<" */
};

struct node {
	enum node_kind kind;
	unsigned line, column; /* from 1 */
	const char *text;      /* NODE_TEXT: UTF-8, NUL-terminated, no NUL inside */
	size_t len;
	bool null;             /* NODE_TEXT: nothing, "~" or "null", unquoted */
	bool binary;           /* NODE_TEXT: tagged !!binary */
	bool open;             /* still being read: an alias to it would be a cycle */
	size_t count;
	struct node **items;     /* NODE_LIST */
	struct node_pair *pairs; /* NODE_MAP */
};

/* Where a text stopped being YAML; one sentence. */
struct node_error {
	unsigned line, column;
	struct err err;
};

struct node_tree;

/* An empty text gives an empty map. 0 with the root in `root`, or -errno with `error` filled. */
int node_parse(const char *text, size_t len, struct node_tree **out, const struct node **root,
	       struct node_error *error);
void node_tree_free(struct node_tree *tree);

/* "a list", "a mapping", "nothing", "the text \"abc\"" (shortened, control characters shown). */
enum { NODE_FOUND_MAX = 96 };
const char *node_found(const struct node *n, char out[NODE_FOUND_MAX]);
