/* docker cp into a container. The archive is read in a jail; this process, which may write the
 * container's files, gets checked records (wire.h) and resolves every path below its root. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "unpack/copy.h"
#include "unpack/extract.h"
#include "unpack/inside.h"
#include "unpack/reader.h"
#include "unpack/view.h"

static int take_records(struct wire *from, struct extract *x, struct err *e)
{
	struct wire_record *record = malloc(sizeof(*record));
	int rc = record ? 0 : err_set(e, -ENOMEM, "out of memory");

	while (!rc) {
		rc = wire_get(from, record, e);
		if (rc || record->kind == WIRE_END)
			break;
		if (record->kind == WIRE_FAULT)
			rc = err_set(e, -EINVAL, "%s", record->fault.text);
		else
			rc = extract_record(x, record, e);
	}
	free(record);
	return rc ? rc : extract_finish(x, e);
}

/* docker's sentences; what is read-only is said before anything is read. */
static int check_target(const struct view *v, const struct inside *in, int dir, struct err *e)
{
	struct stat root, st;
	struct statvfs fs;

	if (fstat(dir, &st) < 0 || fstat(v->root, &root) < 0 || fstatvfs(dir, &fs) < 0)
		return err_sys(e, "look at \"%.300s\"", in->path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, -EINVAL, "extraction point is not a directory");
	if (st.st_dev == root.st_dev && v->read_only)
		return err_set(e, -EROFS, "container rootfs is marked read-only");
	if (fs.f_flag & ST_RDONLY)
		return err_set(e, -EROFS, "mounted volume is marked read-only");
	return 0;
}

/* "uid" or "uid:gid"; a name would have to be looked up in a file that the container writes. */
static int read_user(const char *user, struct extract_place *place, struct err *e)
{
	int end = 0;

	if (sscanf(user, "%9" SCNu32 "%n:%9" SCNu32 "%n", &place->uid, &end, &place->gid, &end) < 1 ||
	    user[end])
		return err_set(e, -ENOTSUP, "the container's user is \"%.64s\": copying with its owner "
			       "is supported for users that are numbers", user);
	return 0;
}

static int unpack_into(const struct extract_place *place, struct err *e)
{
	struct extract *x = extract_into(place);
	struct reader r;
	int rc = x ? reader_start(&r, STDIN_FILENO, e) : err_set(e, -ENOMEM, "out of memory");

	if (!rc) {
		rc = take_records(r.from, x, e);
		reader_end(&r);
	}
	extract_free(x);
	return rc;
}

static int copy_to(const struct copy *c, const struct view *v, struct err *e)
{
	struct inside in = { .fd = -1 };
	struct extract_place place = {
		.root = v->root, .base = v->base, .keep_kinds = c->keep_kinds,
		.owned = c->owned && v->user,
	};
	autoclose int dir = -1;
	int rc = inside_open(&in, v, c->path, c->container, e);

	cleanup_fd(&in.fd);
	if (rc < 0)
		return rc;
	/* Followed to its end: into where a link leads. */
	dir = path_open_in(v->root, in.path, O_PATH, 0, e);
	if (dir < 0)
		return dir;
	rc = check_target(v, &in, dir, e);
	if (!rc && place.owned)
		rc = read_user(v->user, &place, e);
	place.dir = in.path;
	return rc ? rc : unpack_into(&place, e);
}

int copy_in(const struct copy *c, struct err *e)
{
	struct view v;
	int rc = view_open(&v, c->scratch, true, e);

	if (!rc)
		rc = copy_to(c, &v, e);
	view_close(&v);
	return rc;
}
