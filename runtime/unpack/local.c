#include "unpack/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "unpack/extract.h"
#include "unpack/reader.h"
#include "unpack/tarout.h"
#include "unpack/treeout.h"

/* A directory is put as itself, all else by its name in the one that it lies in. */
static int put_source(const struct treeout *out, const char *source, const char *as, bool follow,
		      struct err *e)
{
	char parent[PATH_MAX], *slash;
	const char *name = source;
	autoclose int dir = -1;
	struct stat st;

	if (fstatat(AT_FDCWD, source, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "\"%.300s\"", source);
	if (strlen(source) >= sizeof(parent))
		return err_set(e, -ENAMETOOLONG, "\"%.300s\": the path is too long", source);
	strcpy(parent, source);
	if (S_ISDIR(st.st_mode)) {
		name = NULL;
	} else if (follow && !realpath(source, parent)) {
		return err_sys(e, "\"%.300s\"", source);
	} else if ((slash = strrchr(parent, '/'))) {
		slash[slash == parent] = '\0';
		name = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;
	} else {
		strcpy(parent, ".");
	}
	dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? err_sys(e, "open \"%.300s\"", parent) : treeout_put(out, dir, name, as, e);
}

int local_pack(const char *source, const char *as, bool follow, struct err *e)
{
	struct tarout *tar = NULL;
	struct sink sink;
	struct treeout out = { .sink = &sink };
	int rc = tarout_new(&tar, STDOUT_FILENO, e);

	if (rc < 0)
		return rc;
	sink = tarout_sink(tar);
	rc = put_source(&out, source, as, follow, e);
	if (!rc)
		rc = tarout_end(tar, e);
	tarout_free(tar);
	return rc;
}

/* "was/x" becomes "name/x". */
static int rename_path(char path[TREE_PATH_MAX], const char *was, const char *name)
{
	size_t len = strlen(was);
	char rest[TREE_PATH_MAX];

	if (len && (strncmp(path, was, len) != 0 || (path[len] && path[len] != '/')))
		return -EBADMSG;
	strcpy(rest, path + len + (path[len] == '/'));
	return (size_t)snprintf(path, TREE_PATH_MAX, "%s%s%s", name, *name && *rest ? "/" : "", rest) <
	       TREE_PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int take_record(struct extract *x, struct wire_record *record, const char *was,
		       const char *name, struct err *e)
{
	struct entry *entry = &record->entry;
	int rc = 0;

	if (record->kind == WIRE_FAULT)
		return err_set(e, -EBADMSG, "%s", record->fault.text);
	if (record->kind == WIRE_ENTRY)
		rc = rename_path(entry->path, was, name);
	if (!rc && record->kind == WIRE_ENTRY && entry->kind == ENTRY_HARDLINK)
		rc = rename_path(entry->target, was, name);
	return rc < 0 ? err_code(e, rc, "\"%.300s\" is not what was asked for", entry->path) :
			extract_record(x, record, e);
}

int local_place(const char *dir, const char *was, const char *name, bool owned, struct err *e)
{
	struct wire_record *record = malloc(sizeof(*record));
	autoclose int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct extract_place place = {
		.root = root, .dir = dir, .strict = true, .keep_kinds = true, .owned = !owned,
		.uid = geteuid(), .gid = getegid(),
	};
	struct extract *x = root < 0 ? NULL : extract_into(&place);
	struct reader r = { .fd = -1 };
	int rc = root < 0 ? err_sys(e, "open \"%.300s\"", dir) :
		 x && record ? reader_start(&r, STDIN_FILENO, e) : err_set(e, -ENOMEM, "out of memory");

	while (!rc) {
		rc = wire_get(r.from, record, e);
		if (rc || record->kind == WIRE_END)
			break;
		rc = take_record(x, record, was, name, e);
	}
	if (!rc)
		rc = extract_finish(x, e);
	reader_end(&r);
	extract_free(x);
	free(record);
	return rc;
}
