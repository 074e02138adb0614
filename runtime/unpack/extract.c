#include "unpack/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"

struct dir_times {
	char *path;
	struct timespec mtime;
};

struct extract {
	int root;
	struct extract_place place;  /* `dir` NULL: a layer's directory */
	int parent;                  /* of the last entry: layers list a directory's files together */
	char parent_path[TREE_PATH_MAX];
	int file;                    /* that data goes to */
	uint64_t left;               /* of it */
	uint64_t written;
	struct entry last;           /* the file's: attributes come after the data, since a write takes
					a file capability away */
	unsigned char *values;       /* of its xattrs */
	struct dir_times *dirs;
	size_t dir_count, dir_room;
};

struct extract *extract_new(int root)
{
	struct extract *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->root = root;
	x->parent = x->file = -1;
	return x;
}

struct extract *extract_into(const struct extract_place *place)
{
	struct extract *x = extract_new(place->root);

	if (x)
		x->place = *place;
	return x;
}

void extract_free(struct extract *x)
{
	if (!x)
		return;
	cleanup_fd(&x->parent);
	cleanup_fd(&x->file);
	free(x->values);
	for (size_t i = 0; i < x->dir_count; i++)
		free(x->dirs[i].path);
	free(x->dirs);
	free(x);
}

static int open_below(const struct extract *x, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	char whole[2 * TREE_PATH_MAX];
	long fd;

	if (x->place.strict)
		how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	if (x->place.dir && !x->place.strict) {
		if ((size_t)snprintf(whole, sizeof(whole), "%s/%s", x->place.dir, path) >= sizeof(whole))
			return -ENAMETOOLONG;
		return path_open_in(x->root, whole, flags, 0, NULL);
	}
	fd = syscall(SYS_openat2, x->root, *path ? path : ".", &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/* Directories that an archive only implies; those of a layer come before what is in them. */
static int open_dir(const struct extract *x, const char *path)
{
	int fd = open_below(x, path, O_RDONLY | O_DIRECTORY);
	autoclose int made = -1;
	char whole[2 * TREE_PATH_MAX];

	if (fd != -ENOENT || !x->place.dir)
		return fd;
	snprintf(whole, sizeof(whole), "%s/%s", x->place.dir, path);
	made = path_mkdirs_in(x->root, whole, 0755, NULL);
	return made < 0 ? made : open_below(x, path, O_RDONLY | O_DIRECTORY);
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The fd of the directory that `path` lies in; the extractor's own. */
static int open_parent(struct extract *x, const char *path)
{
	size_t len = (size_t)(last_name(path) - path);
	char parent[TREE_PATH_MAX];
	int fd;

	memcpy(parent, path, len);
	parent[len ? len - 1 : 0] = '\0';
	if (x->parent >= 0 && !strcmp(parent, x->parent_path))
		return x->parent;
	fd = open_dir(x, parent);
	if (fd < 0)
		return fd;
	cleanup_fd(&x->parent);
	x->parent = fd;
	strcpy(x->parent_path, parent);
	return fd;
}

static uint32_t uid_of(const struct extract *x, const struct entry *entry)
{
	return x->place.base + (x->place.owned ? x->place.uid : entry->uid);
}

static uint32_t gid_of(const struct extract *x, const struct entry *entry)
{
	return x->place.base + (x->place.owned ? x->place.gid : entry->gid);
}

static int put_xattrs(const struct extract *into, int fd, const struct entry *entry)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct xattr *x = &entry->xattrs[i];

		/* A container's files have no marks of overlayfs. */
		if (into->place.dir && !strncmp(x->name, "trusted.", 8))
			return -EPERM;
		/* A file system in memory may have no user.*; overlayfs's own mark is not optional. */
		if (fsetxattr(fd, x->name, x->value, x->len, 0) < 0 &&
		    (errno != ENOTSUP || strncmp(x->name, "user.", 5)))
			return -errno;
	}
	return 0;
}

static struct timespec mtime_of(const struct entry *entry)
{
	return (struct timespec){ .tv_sec = (time_t)entry->mtime, .tv_nsec = entry->mtime_nsec };
}

/* Owner before mode and capability, which a change of owner takes away. */
static int put_meta(const struct extract *x, int fd, const struct entry *entry)
{
	struct timespec times[2] = { mtime_of(entry), mtime_of(entry) };
	int rc;

	if (fchown(fd, uid_of(x, entry), gid_of(x, entry)) < 0 || fchmod(fd, entry->mode) < 0)
		return -errno;
	rc = put_xattrs(x, fd, entry);
	if (!rc && futimens(fd, times) < 0)
		rc = -errno;
	return rc;
}

/* For what cannot be opened: symlinks, devices. They carry no xattrs that we keep. */
static int put_meta_at(const struct extract *x, int dir, const char *name,
		       const struct entry *entry)
{
	struct timespec times[2] = { mtime_of(entry), mtime_of(entry) };

	if (fchownat(dir, name, uid_of(x, entry), gid_of(x, entry), AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (entry->kind != ENTRY_SYMLINK && fchmodat(dir, name, entry->mode, 0) < 0)
		return -errno;
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int note_times(struct extract *x, const struct entry *entry)
{
	/* The sender may name one directory for ever, and this process has no limit on memory. */
	if (x->dir_count >= LAYER_ENTRIES_MAX)
		return -EFBIG;
	if (x->dir_count == x->dir_room) {
		size_t room = x->dir_room ? 2 * x->dir_room : 256;
		struct dir_times *more = reallocarray(x->dirs, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		x->dirs = more;
		x->dir_room = room;
	}
	x->dirs[x->dir_count].path = strdup(entry->path);
	x->dirs[x->dir_count].mtime = mtime_of(entry);
	return x->dirs[x->dir_count++].path ? 0 : -ENOMEM;
}

static int put_dir(struct extract *x, int dir, const struct entry *entry)
{
	autoclose int fd = -1;
	int rc;

	if (*entry->path && mkdirat(dir, last_name(entry->path), 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open_below(x, entry->path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	rc = put_meta(x, fd, entry);
	return rc ? rc : note_times(x, entry);
}

static int end_file(struct extract *x)
{
	int rc = put_meta(x, x->file, &x->last);

	cleanup_fd(&x->file);
	x->file = -1;
	return rc;
}

/* The xattrs' values lie in the wire's memory, which the data will overwrite. */
static int keep_entry(struct extract *x, const struct entry *entry)
{
	unsigned char *at;
	size_t len = 1;

	for (size_t i = 0; i < entry->xattr_count; i++)
		len += entry->xattrs[i].len;
	at = realloc(x->values, len);
	if (!at)
		return -ENOMEM;
	x->values = at;
	x->last = *entry;
	for (size_t i = 0; i < entry->xattr_count; i++) {
		struct xattr *one = &x->last.xattrs[i];

		memcpy(at, one->value, one->len);
		one->value = at;
		at += one->len;
	}
	return 0;
}

static int put_file(struct extract *x, int dir, const struct wire_record *record)
{
	const struct entry *entry = &record->entry;

	x->file = openat(dir, last_name(entry->path),
			 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (x->file < 0)
		return -errno;
	x->left = entry->size_bytes;
	if (!x->left)
		return put_meta(x, x->file, entry) ?: (close(take_fd(&x->file)), 0);
	return keep_entry(x, entry);
}

static int put_link(struct extract *x, int dir, const struct entry *entry)
{
	const char *target = last_name(entry->target);
	size_t len = (size_t)(target - entry->target);
	char parent[TREE_PATH_MAX];
	autoclose int from = -1;

	memcpy(parent, entry->target, len);
	parent[len ? len - 1 : 0] = '\0';
	from = open_below(x, parent, O_PATH | O_DIRECTORY);
	if (from < 0)
		return from;
	return linkat(from, target, dir, last_name(entry->path), 0) < 0 ? -errno : 0;
}

static int put_node(const struct extract *x, int dir, const struct entry *entry)
{
	mode_t type = entry->kind == ENTRY_CHAR ? S_IFCHR :
		      entry->kind == ENTRY_BLOCK ? S_IFBLK : S_IFIFO;
	const char *name = last_name(entry->path);

	if (mknodat(dir, name, type | 0600, makedev(entry->major, entry->minor)) < 0)
		return -errno;
	return put_meta_at(x, dir, name, entry);
}

/* docker's rules of what is in the way of an entry: directories become one, all else is
 * replaced. */
static int make_room(const struct extract *x, int dir, const struct entry *entry, struct err *e)
{
	const char *name = last_name(entry->path);
	bool is_dir = entry->kind == ENTRY_DIR;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode) && is_dir)
		return 0;
	if (x->place.keep_kinds && S_ISDIR(st.st_mode))
		return err_set(e, -EINVAL, "cannot overwrite directory \"%.200s\" with non-directory "
			       "\"%.200s\"", entry->path, x->place.dir);
	if (x->place.keep_kinds && is_dir)
		return err_set(e, -EINVAL, "cannot overwrite non-directory \"%.200s\" with directory "
			       "\"%.200s\"", entry->path, x->place.dir);
	return path_remove_tree(dir, name, NULL);
}

static int put_entry(struct extract *x, const struct wire_record *record, struct err *e)
{
	const struct entry *entry = &record->entry;
	int dir = *entry->path ? open_parent(x, entry->path) : x->root;
	int rc;

	if (dir < 0)
		return dir;
	/* "./": the directory that it goes into, which stays as it is. */
	if (x->place.dir && !*entry->path)
		return 0;
	rc = x->place.dir ? make_room(x, dir, entry, e) : 0;
	if (rc < 0)
		return rc;
	if (!*entry->path && entry->kind != ENTRY_DIR)
		return -EINVAL;
	switch (entry->kind) {
	case ENTRY_DIR:
		return put_dir(x, dir, entry);
	case ENTRY_FILE:
		return put_file(x, dir, record);
	case ENTRY_SYMLINK:
		if (symlinkat(entry->target, dir, last_name(entry->path)) < 0)
			return -errno;
		return put_meta_at(x, dir, last_name(entry->path), entry);
	case ENTRY_HARDLINK:
		return put_link(x, dir, entry);
	default:
		return put_node(x, dir, entry);
	}
}

static int put_data(struct extract *x, const struct wire_record *record)
{
	int rc;

	if (x->file < 0 || record->len > x->left)
		return -EBADMSG;
	rc = file_write_all(x->file, record->data, record->len);
	x->left -= record->len;
	x->written += record->len;
	if (!rc && x->written > LAYER_BYTES_MAX)
		rc = -EFBIG;
	return rc || x->left ? rc : end_file(x);
}

int extract_record(struct extract *x, const struct wire_record *record, struct err *e)
{
	struct err why = { 0 };
	int rc;

	if (record->kind == WIRE_DATA) {
		rc = put_data(x, record);
		return rc ? err_code(e, rc, "write \"%.200s\"", x->last.path) : 0;
	}
	if (x->file >= 0)
		return err_set(e, -EBADMSG, "\"%.200s\" is shorter than it says", x->last.path);
	rc = put_entry(x, record, &why);
	if (rc < 0 && *why.text)
		return err_set(e, rc, "%s", why.text);
	return rc ? err_code(e, rc, "write \"%.200s\"", record->entry.path) : 0;
}

int extract_finish(struct extract *x, struct err *e)
{
	if (x->file >= 0)
		return err_set(e, -EBADMSG, "\"%.200s\" is shorter than it says", x->last.path);
	for (size_t i = x->dir_count; i--;) {
		struct timespec times[2] = { x->dirs[i].mtime, x->dirs[i].mtime };
		autoclose int fd = open_below(x, x->dirs[i].path, O_RDONLY | O_DIRECTORY);

		if (fd < 0 || futimens(fd, times) < 0)
			return err_sys(e, "set the time of \"%.200s\"", x->dirs[i].path);
	}
	return 0;
}
