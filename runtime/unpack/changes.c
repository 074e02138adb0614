#include "unpack/changes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "unpack/tree.h"
#include "unpack/view.h"

enum { BATCH_BYTES = 64 * 1024 };

enum change { CHANGED, ADDED, DELETED }; /* docker's numbers */

struct walk {
	char path[TREE_PATH_MAX];        /* "/etc/x"; "" is the root */
	bool pending[TREE_DEPTH_MAX + 1]; /* directories on it that are told with what is in them */
	enum change kinds[TREE_DEPTH_MAX + 1];
	size_t ends[TREE_DEPTH_MAX + 1]; /* where their paths end */
	int depth;
	bool any;
	struct buf out;
	struct err *e;
};

bool changes_are_ours(const char *path, const struct stat *st, bool empty)
{
	static const struct {
		const char *path;
		bool dir;
	} ours[] = {
		{ "dev", true }, { "proc", true }, { "sys", true }, { "etc/resolv.conf", false },
		{ "etc/hostname", false }, { "etc/hosts", false }, { "sbin/docker-init", false },
	};

	for (size_t i = 0; empty && i < ARRAY_LEN(ours); i++)
		if (!strcmp(ours[i].path, path) &&
		    (ours[i].dir ? S_ISDIR(st->st_mode) : S_ISREG(st->st_mode)))
			return true;
	return false;
}

static int write_out(struct walk *w)
{
	int rc = buf_ok(&w->out) ? file_write_all(STDOUT_FILENO, w->out.data, w->out.len) : -ENOMEM;

	buf_reset(&w->out);
	return rc < 0 ? err_code(w->e, rc, "write the output") : 0;
}

static void add_change(struct walk *w, size_t len, enum change kind)
{
	buf_adds(&w->out, w->any ? ",\n{\"Path\":" : "{\"Path\":");
	buf_add_json_string(&w->out, w->path, len);
	buf_addf(&w->out, ",\"Kind\":%d}", kind);
	w->any = true;
}

/* The directories that it is in have changed with it. */
static int tell(struct walk *w, enum change kind)
{
	for (int i = 0; i < w->depth; i++) {
		if (w->pending[i])
			add_change(w, w->ends[i], w->kinds[i]);
		w->pending[i] = false;
	}
	add_change(w, strlen(w->path), kind);
	return w->out.len >= BATCH_BYTES ? write_out(w) : 0;
}

static bool is_empty(int dir)
{
	autoclose int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *child;

	if (!d)
		return false;
	take_fd(&fd);
	while ((child = readdir(d)))
		if (strcmp(child->d_name, ".") && strcmp(child->d_name, ".."))
			return false;
	return true;
}

static bool is_opaque(int dir)
{
	char value;

	return fgetxattr(dir, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static int walk_dir(struct walk *w, int upper, int lower);

/* `lower` -1: nothing of the layers below shows in it. A directory that only carries what has
 * changed in it is told with that; its time says nothing, since what the runtime mounts on
 * changes it. */
static int walk_into(struct walk *w, int upper, int lower, const char *name, const struct stat *st)
{
	autoclose int up = openat(upper, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int low = -1;
	struct stat below;
	bool there, merged, same;
	int rc = 0;

	if (up < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(w->e, "open \"%.300s\"", w->path);
	if (w->depth == TREE_DEPTH_MAX)
		return err_set(w->e, -ENAMETOOLONG, "directories are nested deeper than %d",
			       TREE_DEPTH_MAX);
	if (changes_are_ours(w->path + 1, st, is_empty(up)))
		return 0;
	there = lower >= 0 && fstatat(lower, name, &below, AT_SYMLINK_NOFOLLOW) == 0;
	merged = there && S_ISDIR(below.st_mode) && !is_opaque(up);
	same = merged && below.st_mode == st->st_mode && below.st_uid == st->st_uid &&
	       below.st_gid == st->st_gid;
	if (merged)
		low = openat(lower, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	same |= !there && (!strcmp(w->path, "/etc") || !strcmp(w->path, "/sbin"));
	if (!same)
		rc = tell(w, there ? CHANGED : ADDED);
	w->pending[w->depth] = same;
	w->kinds[w->depth] = there ? CHANGED : ADDED;
	w->ends[w->depth++] = strlen(w->path);
	if (!rc)
		rc = walk_dir(w, up, low);
	w->depth--;
	return rc;
}

static int walk_entry(struct walk *w, int upper, int lower, const char *name)
{
	struct stat st, below;
	bool there;

	if (fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(w->e, "look at \"%.300s\"", w->path);
	if (S_ISDIR(st.st_mode))
		return walk_into(w, upper, lower, name, &st);
	if (changes_are_ours(w->path + 1, &st, !st.st_size))
		return 0;
	there = lower >= 0 && fstatat(lower, name, &below, AT_SYMLINK_NOFOLLOW) == 0;
	if (S_ISCHR(st.st_mode) && !st.st_rdev)
		return there ? tell(w, DELETED) : 0;
	return tell(w, there ? CHANGED : ADDED);
}

static int walk_dir(struct walk *w, int upper, int lower)
{
	autoclose int own = openat(upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *d = own < 0 ? NULL : fdopendir(own);
	size_t len = strlen(w->path);
	struct dirent *child;
	int rc = 0;

	if (!d)
		return err_sys(w->e, "list \"%.300s\"", w->path);
	take_fd(&own);
	while (!rc && (child = readdir(d))) {
		size_t room = sizeof(w->path) - len;

		if (!strcmp(child->d_name, ".") || !strcmp(child->d_name, ".."))
			continue;
		if ((size_t)snprintf(w->path + len, room, "/%s", child->d_name) >= room)
			return err_set(w->e, -ENAMETOOLONG, "there is a path longer than %d bytes",
				       TREE_PATH_MAX);
		rc = walk_entry(w, upper, lower, child->d_name);
		w->path[len] = '\0';
	}
	return rc;
}

int changes_print(const char *scratch, struct err *e)
{
	static struct walk w;
	int upper, lower, rc = view_open_changes(&upper, &lower, scratch, e);

	w.e = e;
	buf_addc(&w.out, '[');
	if (!rc && upper >= 0)
		rc = walk_dir(&w, upper, lower);
	buf_adds(&w.out, "]\n");
	if (!rc)
		rc = write_out(&w);
	buf_free(&w.out);
	cleanup_fd(&upper);
	cleanup_fd(&lower);
	return rc;
}
