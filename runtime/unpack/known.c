#include "unpack/known.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

struct walk {
	struct wire *wire;
	struct entry entry; /* `path` grows and shrinks with the walk */
	int depth;
	uint64_t bytes;
	struct err *e;
};

static enum entry_kind kind_of(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFDIR:
		return ENTRY_DIR;
	case S_IFREG:
		return ENTRY_FILE;
	case S_IFLNK:
		return ENTRY_SYMLINK;
	case S_IFCHR:
		return ENTRY_CHAR;
	case S_IFBLK:
		return ENTRY_BLOCK;
	default:
		return ENTRY_FIFO;
	}
}

static void describe(struct entry *entry, const struct stat *st)
{
	entry->kind = kind_of(st);
	entry->mode = st->st_mode & 07777;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->mtime = st->st_mtim.tv_sec;
	entry->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	entry->major = major(st->st_rdev);
	entry->minor = minor(st->st_rdev);
	entry->size_bytes = 0;
	entry->xattr_count = 0;
	entry->target[0] = '\0';
}

static int send_dir(struct walk *w, int fd);

static int send_entry(struct walk *w, int dir, const char *name)
{
	struct entry *entry = &w->entry;
	autoclose int below = -1;
	struct stat st;
	ssize_t n;
	int rc;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(w->e, "look at \"%.200s\"", entry->path);
	describe(entry, &st);
	w->bytes += entry->kind == ENTRY_FILE ? (uint64_t)st.st_size : 0;
	if (entry->kind == ENTRY_DIR) {
		below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return below < 0 ? err_sys(w->e, "open \"%.200s\"", entry->path) : send_dir(w, below);
	}
	if (entry->kind == ENTRY_SYMLINK) {
		n = readlinkat(dir, name, entry->target, sizeof(entry->target) - 1);
		if (n < 0)
			return err_sys(w->e, "read \"%.200s\"", entry->path);
		entry->target[n] = '\0';
	}
	rc = wire_put_entry(w->wire, entry, w->e);
	entry->target[0] = '\0';
	return rc;
}

static int send_children(struct walk *w, DIR *d)
{
	size_t len = strlen(w->entry.path);
	struct dirent *child;
	int rc = 0;

	while (!rc && (child = readdir(d))) {
		size_t room = sizeof(w->entry.path) - len;

		if (!strcmp(child->d_name, ".") || !strcmp(child->d_name, ".."))
			continue;
		if ((size_t)snprintf(w->entry.path + len, room, "%s%s", len ? "/" : "",
				     child->d_name) >= room)
			return err_set(w->e, -ENAMETOOLONG, "the layer has a path that is too long");
		rc = send_entry(w, dirfd(d), child->d_name);
		w->entry.path[len] = '\0';
	}
	return rc;
}

static int send_dir(struct walk *w, int fd)
{
	static const char opaque[] = "trusted.overlay.opaque";
	autodir DIR *d = NULL;
	struct stat st;
	/* No dup(2): it would go on where another walk through the same layer ended. */
	autoclose int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value;
	int rc;

	/* The root is none of them. */
	if (w->depth++ > TREE_DEPTH_MAX)
		return err_set(w->e, -ENAMETOOLONG, "the layer is deeper than %d directories",
			       TREE_DEPTH_MAX);
	if (own < 0 || fstat(fd, &st) < 0)
		return err_sys(w->e, "look at \"%.200s\"", w->entry.path);
	d = fdopendir(own);
	if (!d)
		return err_set(w->e, -ENOMEM, "out of memory");
	take_fd(&own);
	describe(&w->entry, &st);
	if (fgetxattr(fd, opaque, &value, 1) == 1 && value == 'y')
		entry_add_xattr(&w->entry, opaque, "y", 1);
	rc = wire_put_entry(w->wire, &w->entry, w->e);
	if (!rc)
		rc = send_children(w, d);
	w->depth--;
	return rc;
}

int known_send(int dir, struct wire *w, uint64_t *bytes, struct err *e)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	struct layer_result none = { 0 };
	int rc;

	if (!walk)
		return err_set(e, -ENOMEM, "out of memory");
	walk->wire = w;
	walk->e = e;
	rc = send_dir(walk, dir);
	*bytes = walk->bytes;
	free(walk);
	return rc ? rc : wire_put_end(w, &none, e);
}

static enum node_kind node_kind_of(enum entry_kind kind)
{
	switch (kind) {
	case ENTRY_DIR:
		return NODE_DIR;
	case ENTRY_FILE:
		return NODE_FILE;
	case ENTRY_SYMLINK:
		return NODE_SYMLINK;
	default:
		return NODE_OTHER;
	}
}

static int take(const struct entry *entry, struct tree *tree, int number, struct err *e)
{
	struct node *n;
	int rc;

	if (entry->kind == ENTRY_CHAR && !entry->major && !entry->minor)
		return tree_hide(tree, entry->path, number, 0, &n, e);
	rc = tree_touch(tree, entry->path, node_kind_of(entry->kind), number, &n, e);
	if (rc < 0)
		return rc;
	n->entry = 0;
	n->mode = entry->mode;
	n->uid = entry->uid;
	n->gid = entry->gid;
	n->mtime = entry->mtime;
	n->mtime_nsec = entry->mtime_nsec;
	if (entry->kind == ENTRY_DIR && entry->xattr_count) {
		n->opaque = true;
		tree_hide_below(n, number);
	}
	if (entry->kind == ENTRY_SYMLINK) {
		n->target = strdup(entry->target);
		if (!n->target)
			return err_set(e, -ENOMEM, "out of memory");
	}
	return 0;
}

int known_receive(struct wire *w, struct tree *tree, int number, struct err *e)
{
	struct wire_record *record = malloc(sizeof(*record));
	int rc = record ? 0 : err_set(e, -ENOMEM, "out of memory");

	while (!rc) {
		rc = wire_get(w, record, e);
		if (rc || record->kind == WIRE_END)
			break;
		if (record->kind == WIRE_ENTRY)
			rc = take(&record->entry, tree, number, e);
	}
	free(record);
	return rc;
}
