#include "unpack/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "unpack/tree.h"
#include "unpack/view.h"

enum { TOLD_MAX = 16 << 20, BUCKETS = 4096 };

struct seen {
	struct seen *next;
	ino_t inode;
};

struct count {
	uint64_t bytes;
	struct seen *seen[BUCKETS]; /* files of several names, of one file system */
};

static bool seen_before(struct count *c, const struct stat *st)
{
	struct seen **bucket = &c->seen[st->st_ino % BUCKETS], *s;

	for (s = *bucket; s; s = s->next)
		if (s->inode == st->st_ino)
			return true;
	s = malloc(sizeof(*s));
	if (s) {
		*s = (struct seen){ *bucket, st->st_ino };
		*bucket = s;
	}
	return false;
}

static void count_dir(struct count *c, int dir, const char *name, int depth);

/* What goes away meanwhile does not count. */
static void count_entry(struct count *c, int dir, const char *name, int depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		count_dir(c, dir, name, depth + 1);
	else if (S_ISREG(st.st_mode) && (st.st_nlink == 1 || !seen_before(c, &st)))
		c->bytes += (uint64_t)st.st_size;
}

static void count_dir(struct count *c, int dir, const char *name, int depth)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autodir DIR *d = fd < 0 || depth > TREE_DEPTH_MAX ? NULL : fdopendir(fd);
	struct dirent *child;

	if (!d)
		return;
	take_fd(&fd);
	while ((child = readdir(d)))
		if (strcmp(child->d_name, ".") && strcmp(child->d_name, ".."))
			count_entry(c, dirfd(d), child->d_name, depth);
}

static uint64_t count(const char *path)
{
	struct count *c = calloc(1, sizeof(*c));
	uint64_t bytes;

	if (!c)
		return 0;
	count_dir(c, AT_FDCWD, path, 0);
	bytes = c->bytes;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct seen *s = c->seen[i], *next; s; s = next) {
			next = s->next;
			free(s);
		}
	free(c);
	return bytes;
}

int usage_print(struct err *e)
{
	autobuf struct buf text = { 0 }, out = { 0 };
	yyjson_doc *doc;
	yyjson_val *path;
	size_t i, n;
	int rc = file_read_fd(TOLD_FD, TOLD_MAX, &text, e);

	if (rc < 0)
		return rc;
	doc = yyjson_read(buf_text(&text), text.len, 0);
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, n, path)
		buf_addf(&out, "%" PRIu64 "\n",
			 yyjson_is_str(path) ? count(yyjson_get_str(path)) : 0);
	yyjson_doc_free(doc);
	rc = buf_ok(&out) ? file_write_all(STDOUT_FILENO, out.data, out.len) : -ENOMEM;
	return rc < 0 ? err_code(e, rc, "write the output") : 0;
}
