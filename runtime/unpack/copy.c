#include "unpack/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "unpack/inside.h"
#include "unpack/tarout.h"
#include "unpack/treeout.h"

static int say(const struct inside *in, const struct view *v, struct err *e)
{
	autobuf struct buf json = { 0 };
	int rc;

	inside_describe(in, v, &json);
	rc = buf_ok(&json) ? file_write_all(STDOUT_FILENO, json.data, json.len) : -ENOMEM;
	return rc < 0 ? err_code(e, rc, "write the output") : 0;
}

int copy_stat(const struct copy *c, struct err *e)
{
	struct inside in = { .fd = -1 };
	struct view v;
	int rc = view_open(&v, c->scratch, false, e);

	if (!rc)
		rc = inside_open(&in, &v, c->path, c->container, e);
	if (!rc)
		rc = say(&in, &v, e);
	cleanup_fd(&in.fd);
	view_close(&v);
	return rc;
}

/* Of a file its directory is opened, since an entry is looked at by its name. */
static int put_path(const struct inside *in, const struct view *v, const struct treeout *out,
		    struct err *e)
{
	autoclose int dir = -1;
	char parent[PATH_MAX];

	if (S_ISDIR(in->st.st_mode)) {
		dir = openat(in->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return dir < 0 ? err_sys(e, "open \"%s\"", in->path) :
				 treeout_put(out, dir, NULL, in->base, e);
	}
	snprintf(parent, sizeof(parent), "%s", in->path);
	strrchr(parent, '/')[1] = '\0';
	dir = path_open_in(v->root, parent, O_RDONLY | O_DIRECTORY, 0, e);
	return dir < 0 ? dir : treeout_put(out, dir, in->base, in->base, e);
}

static int put_tar(const struct inside *in, const struct view *v, struct err *e)
{
	struct tarout *tar = NULL;
	struct sink sink;
	struct treeout out = { .sink = &sink, .base = v->base };
	int rc = tarout_new(&tar, STDOUT_FILENO, e);

	if (rc < 0)
		return rc;
	sink = tarout_sink(tar);
	rc = put_path(in, v, &out, e);
	if (!rc)
		rc = tarout_end(tar, e);
	tarout_free(tar);
	return rc;
}

int copy_out(const struct copy *c, struct err *e)
{
	struct inside in = { .fd = -1 };
	struct view v;
	int rc = view_open(&v, c->scratch, false, e);

	if (!rc)
		rc = inside_open(&in, &v, c->path, c->container, e);
	if (!rc)
		rc = say(&in, &v, e);
	if (!rc)
		rc = put_tar(&in, &v, e);
	cleanup_fd(&in.fd);
	view_close(&v);
	return rc;
}

int copy_export(const struct copy *c, struct err *e)
{
	struct inside in = { .path = "/", .base = "" };
	struct view v;
	int rc = view_open(&v, c->scratch, false, e);

	in.fd = rc ? -1 : dup(v.root);
	if (!rc && fstat(in.fd, &in.st) < 0)
		rc = err_sys(e, "look at the container's root");
	if (!rc)
		rc = put_tar(&in, &v, e);
	cleanup_fd(&in.fd);
	view_close(&v);
	return rc;
}
