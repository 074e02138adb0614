#include "unpack/treeout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { PIECE_BYTES = 64 * 1024, NAMES_MAX = 64 * 1024, IDS_MAX = 65536 };

static const char opaque_mark[] = "trusted.overlay.opaque";

/* A file of several names that one of them was put of. */
struct seen {
	struct seen *next;
	dev_t device;
	ino_t inode;
	char path[];
};

struct walk {
	const struct treeout *t;
	struct entry entry; /* `path` grows and shrinks with the walk */
	struct seen *seen[1024];
	uint64_t entries;
	int depth;
	struct err *e;
	char names[NAMES_MAX];                          /* of the xattrs of one file */
	unsigned char values[2 * XATTR_VALUE_MAX];      /* and their values */
	unsigned char piece[PIECE_BYTES];
};

/* ---- what an entry says ---- */

static uint32_t shown_id(const struct walk *w, uint32_t id)
{
	return id >= w->t->base && id - w->t->base < IDS_MAX ? id - w->t->base : id;
}

static bool set_kind(struct entry *entry, mode_t mode)
{
	static const struct {
		mode_t type;
		enum entry_kind kind;
	} kinds[] = {
		{ S_IFREG, ENTRY_FILE },  { S_IFDIR, ENTRY_DIR },   { S_IFLNK, ENTRY_SYMLINK },
		{ S_IFCHR, ENTRY_CHAR },  { S_IFBLK, ENTRY_BLOCK }, { S_IFIFO, ENTRY_FIFO },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].type != (mode & S_IFMT))
			continue;
		entry->kind = kinds[i].kind;
		return true;
	}
	return false;
}

static void describe(struct walk *w, const struct stat *st)
{
	struct entry *entry = &w->entry;

	entry->mode = st->st_mode & 07777;
	entry->uid = shown_id(w, st->st_uid);
	entry->gid = shown_id(w, st->st_gid);
	entry->mtime = st->st_mtim.tv_sec;
	entry->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	entry->major = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? major(st->st_rdev) : 0;
	entry->minor = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? minor(st->st_rdev) : 0;
	entry->size_bytes = entry->kind == ENTRY_FILE ? (uint64_t)st->st_size : 0;
	entry->xattr_count = 0;
	entry->target[0] = '\0';
}

/* What no layer may keep is dropped by entry_add_known_xattr(). */
static int add_xattrs(struct walk *w, int fd)
{
	ssize_t len = flistxattr(fd, w->names, sizeof(w->names));
	size_t used = 0;

	for (char *name = w->names; len > 0 && name < w->names + len; name += strlen(name) + 1) {
		ssize_t n = fgetxattr(fd, name, w->values + used, sizeof(w->values) - used);

		if (n < 0 && errno == ERANGE)
			return err_set(w->e, -E2BIG, "\"%.200s\": its extended attributes are larger than "
				       "%zu bytes together", w->entry.path, sizeof(w->values));
		if (n < 0)
			continue;
		if (entry_add_known_xattr(&w->entry, name, w->values + used, (size_t)n) < 0)
			return err_set(w->e, -E2BIG, "\"%.200s\" has more than %d extended attributes",
				       w->entry.path, XATTRS_MAX);
		used += (size_t)n;
	}
	return 0;
}

static int emit(struct walk *w)
{
	if (++w->entries > LAYER_ENTRIES_MAX)
		return err_set(w->e, -EFBIG, "there are more than %d files", LAYER_ENTRIES_MAX);
	return w->t->sink->entry(w->t->sink->ctx, &w->entry, w->e);
}

/* ---- files ---- */

static int put_zeros(struct walk *w, uint64_t len)
{
	int rc = 0;

	memset(w->piece, 0, sizeof(w->piece));
	for (size_t n; !rc && len; len -= n) {
		n = len < sizeof(w->piece) ? (size_t)len : sizeof(w->piece);
		rc = w->t->sink->data(w->t->sink->ctx, w->piece, n, w->e);
	}
	return rc;
}

static int put_data(struct walk *w, int fd)
{
	uint64_t left = w->entry.size_bytes;
	int rc = 0;

	while (!rc && left) {
		ssize_t n = read(fd, w->piece, left < PIECE_BYTES ? (size_t)left : PIECE_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(w->e, "read \"%.200s\"", w->entry.path);
		if (!n)
			return put_zeros(w, left);
		rc = w->t->sink->data(w->t->sink->ctx, w->piece, (size_t)n, w->e);
		left -= (uint64_t)n;
	}
	return rc;
}

/* True: it has a name in the archive already, which is the target now. */
static bool seen_before(struct walk *w, const struct stat *st)
{
	struct seen **bucket = &w->seen[st->st_ino % ARRAY_LEN(w->seen)], *s;
	size_t len = strlen(w->entry.path) + 1;

	for (s = *bucket; s; s = s->next) {
		if (s->device != st->st_dev || s->inode != st->st_ino)
			continue;
		w->entry.kind = ENTRY_HARDLINK;
		w->entry.size_bytes = 0;
		strcpy(w->entry.target, s->path);
		return true;
	}
	s = malloc(sizeof(*s) + len);
	if (!s)
		return false; /* it comes twice then, which costs only room */
	*s = (struct seen){ *bucket, st->st_dev, st->st_ino };
	memcpy(s->path, w->entry.path, len);
	*bucket = s;
	return false;
}

/* O_NONBLOCK: it may have become a FIFO since it was looked at. */
static int put_file(struct walk *w, int dir, const char *name)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(w->e, "open \"%.200s\"", w->entry.path);
	if (!S_ISREG(st.st_mode))
		return 0;
	describe(w, &st);
	if (st.st_nlink > 1 && seen_before(w, &st))
		return emit(w);
	rc = add_xattrs(w, fd);
	if (!rc)
		rc = emit(w);
	return rc ? rc : put_data(w, fd);
}

static int put_symlink(struct walk *w, int dir, const char *name)
{
	ssize_t n = readlinkat(dir, name, w->entry.target, sizeof(w->entry.target) - 1);

	if (n <= 0)
		return n && errno != ENOENT && errno != EINVAL ?
			       err_sys(w->e, "read \"%.200s\"", w->entry.path) : 0;
	w->entry.target[n] = '\0';
	return emit(w);
}

/* overlayfs's whiteout; in a layer's tar an empty file ".wh.NAME" stands for it. */
static int put_whiteout(struct walk *w, const char *name)
{
	static const char mark[] = ".wh.";
	struct entry *entry = &w->entry;
	size_t len = strlen(entry->path), name_len = strlen(name), mark_len = sizeof(mark) - 1;
	char *last = entry->path + len - name_len;

	if (len + mark_len >= sizeof(entry->path))
		return err_set(w->e, -ENAMETOOLONG, "\"%.200s\": path too long", entry->path);
	memmove(last + mark_len, last, name_len + 1);
	memcpy(last, mark, mark_len);
	entry->kind = ENTRY_FILE;
	entry->mode = entry->uid = entry->gid = entry->major = entry->minor = 0;
	return emit(w);
}

/* ---- directories ---- */

struct names {
	char **items;
	size_t count, room;
};

static void free_names(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}

static int add_name(struct names *n, const char *name)
{
	if (n->count == n->room) {
		size_t room = n->room ? 2 * n->room : 64;
		char **more = reallocarray(n->items, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		n->items = more;
		n->room = room;
	}
	n->items[n->count] = strdup(name);
	return n->items[n->count++] ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All at once and in order: the same tree gives the same archive. */
static int read_names(int fd, struct names *out)
{
	/* No dup(2): it would go on where another walk through the same directory ended. */
	autoclose int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *d = own < 0 ? NULL : fdopendir(own);
	struct dirent *child;
	int rc = 0;

	if (!d)
		return -errno;
	take_fd(&own);
	while (!rc && (child = readdir(d)))
		if (strcmp(child->d_name, ".") && strcmp(child->d_name, ".."))
			rc = add_name(out, child->d_name);
	if (!rc && out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare);
	return rc;
}

static int put_entry(struct walk *w, int dir, const char *name);

static int put_children(struct walk *w, int fd, const struct names *names)
{
	size_t len = strlen(w->entry.path);
	const char *slash = len && w->entry.path[len - 1] != '/' ? "/" : "";
	int rc = 0;

	for (size_t i = 0; !rc && i < names->count; i++) {
		size_t room = sizeof(w->entry.path) - len;

		if ((size_t)snprintf(w->entry.path + len, room, "%s%s", slash, names->items[i]) >= room)
			return err_set(w->e, -ENAMETOOLONG, "there is a path longer than %d bytes",
				       TREE_PATH_MAX);
		rc = put_entry(w, fd, names->items[i]);
		w->entry.path[len] = '\0';
	}
	return rc;
}

/* Overlayfs's mark that nothing of the layers below shows in this directory. */
static int put_opaque(struct walk *w, int fd)
{
	size_t len = strlen(w->entry.path);
	char value;
	int rc;

	if (!w->t->layer || fgetxattr(fd, opaque_mark, &value, 1) != 1 || value != 'y')
		return 0;
	if (len + sizeof("/.wh..wh..opq") > sizeof(w->entry.path))
		return err_set(w->e, -ENAMETOOLONG, "\"%.200s\": path too long", w->entry.path);
	strcpy(w->entry.path + len, "/.wh..wh..opq");
	w->entry.kind = ENTRY_FILE;
	w->entry.mode = w->entry.uid = w->entry.gid = 0;
	w->entry.xattr_count = 0;
	rc = emit(w);
	w->entry.path[len] = '\0';
	return rc;
}

static int put_dir_entry(struct walk *w, int fd, const struct stat *st)
{
	int rc;

	if (!*w->entry.path)
		return 0;
	w->entry.kind = ENTRY_DIR;
	describe(w, st);
	rc = add_xattrs(w, fd);
	if (!rc)
		rc = emit(w);
	return rc ? rc : put_opaque(w, fd);
}

static bool skipped(const struct walk *w, const struct stat *st, bool empty)
{
	return w->t->skip && w->t->skip(w->entry.path, st, empty);
}

/* Nothing is left of a directory when all of its files are skipped. */
static bool is_empty(struct walk *w, int fd, const struct names *names)
{
	size_t len = strlen(w->entry.path);
	bool any = !w->t->skip && names->count;

	for (size_t i = 0; !any && i < names->count; i++) {
		struct stat st;

		snprintf(w->entry.path + len, sizeof(w->entry.path) - len, "%s%s", len ? "/" : "",
			 names->items[i]);
		any = fstatat(fd, names->items[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		      (S_ISDIR(st.st_mode) || !skipped(w, &st, !st.st_size));
		w->entry.path[len] = '\0';
	}
	return !any;
}

static int put_dir(struct walk *w, int fd)
{
	__attribute__((cleanup(free_names))) struct names names = { 0 };
	struct stat st;
	int rc;

	/* The root is none of them. */
	if (w->depth > TREE_DEPTH_MAX)
		return err_set(w->e, -ENAMETOOLONG, "directories are nested deeper than %d",
			       TREE_DEPTH_MAX);
	if (fstat(fd, &st) < 0)
		return err_sys(w->e, "look at \"%.200s\"", w->entry.path);
	rc = read_names(fd, &names);
	if (rc < 0)
		return err_code(w->e, rc, "list \"%.200s\"", w->entry.path);
	if (w->t->skip && skipped(w, &st, is_empty(w, fd, &names)))
		return 0;
	w->depth++;
	rc = put_dir_entry(w, fd, &st);
	if (!rc)
		rc = put_children(w, fd, &names);
	w->depth--;
	return rc;
}

static bool is_whiteout(const struct walk *w, const struct stat *st)
{
	return w->t->layer && S_ISCHR(st->st_mode) && !st->st_rdev;
}

static int put_entry(struct walk *w, int dir, const char *name)
{
	autoclose int below = -1;
	struct stat st;

	/* What has gone meanwhile is not there. */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(w->e, "look at \"%.200s\"", w->entry.path);
	if (S_ISDIR(st.st_mode)) {
		below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 :
			       err_sys(w->e, "open \"%.200s\"", w->entry.path);
		return put_dir(w, below);
	}
	if (!set_kind(&w->entry, st.st_mode) || skipped(w, &st, !st.st_size))
		return 0;
	describe(w, &st);
	if (is_whiteout(w, &st))
		return put_whiteout(w, name);
	if (S_ISREG(st.st_mode))
		return put_file(w, dir, name);
	return S_ISLNK(st.st_mode) ? put_symlink(w, dir, name) : emit(w);
}

static void free_walk(struct walk *w)
{
	for (size_t i = 0; i < ARRAY_LEN(w->seen); i++)
		for (struct seen *s = w->seen[i], *next; s; s = next) {
			next = s->next;
			free(s);
		}
	free(w);
}

int treeout_put(const struct treeout *t, int dir, const char *name, const char *as, struct err *e)
{
	struct walk *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return err_set(e, -ENOMEM, "out of memory");
	w->t = t;
	w->e = e;
	snprintf(w->entry.path, sizeof(w->entry.path), "%s", as);
	rc = name ? put_entry(w, dir, name) : put_dir(w, dir);
	free_walk(w);
	return rc;
}
