/* The files of an image as names, without the files: what lies where after each layer. Unpacking
 * asks it what a path means (a parent may be a symlink of a lower layer), what a directory that a
 * layer does not list looks like, and what a whiteout hides. Nothing here touches the disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	TREE_PATH_MAX = 4096,
	TREE_NAME_MAX = 255,
	TREE_DEPTH_MAX = 256,
	TREE_LINKS_MAX = 40,   /* symlinks followed for one path, as the kernel does */
};

enum node_kind { NODE_DIR, NODE_FILE, NODE_SYMLINK, NODE_OTHER, NODE_WHITEOUT };

struct node {
	struct node *parent, *children, *next; /* children: newest first */
	struct node *bucket;   /* next with the same hash */
	char *target;          /* NODE_SYMLINK */
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t mode, uid, gid;
	int layer;             /* the last layer that has it, 0 = bottom */
	long entry;            /* its last entry in that layer, or -1: only implied by a child */
	enum node_kind kind;
	bool gone;             /* replaced or hidden; not found any more */
	bool hides;            /* this layer has a whiteout for it ... */
	bool opaque;           /* ... or one for all that lower layers have in it */
	bool written;          /* for the sink's use */
	char name[];
};

struct tree;

int tree_new(struct tree **out);
void tree_free(struct tree *t); /* NULL is fine */
struct node *tree_root(struct tree *t);

/* Cleans a name from an archive: no "..", no NUL inside, no leading or doubled "/" or "." left;
 * "" is the root. 0, or -EINVAL/-ENAMETOOLONG with what is wrong about it, without the name. */
int tree_clean(const char *raw, char out[TREE_PATH_MAX], struct err *e);

/* The node at a clean path, its last component not followed; parents are followed through symlinks
 * within the tree. NULL: there is none. */
struct node *tree_find(struct tree *t, const char *path);

/* The node at `path` for `layer`, made if it is not there, with the directories that lead to it.
 * A node of another kind than a directory is replaced by a fresh one. -ENOTDIR when a parent is a
 * file, -ELOOP. */
int tree_touch(struct tree *t, const char *path, enum node_kind kind, int layer, struct node **out,
	       struct err *e);

/* A whiteout of `path` in `layer`, at the archive's `entry`. `out` is its node, or NULL when the
 * layer has a file of its own there, which then only hides what lies below it. */
int tree_hide(struct tree *t, const char *path, int layer, long entry, struct node **out,
	      struct err *e);

/* An opaque directory in `layer`: what lower layers have in it is gone. */
void tree_hide_below(struct node *dir, int layer);

/* Where the node is, from the root, without a leading "/". */
int tree_path(const struct node *n, char out[TREE_PATH_MAX]);
