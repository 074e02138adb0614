#include "unpack/layertar.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "unpack/stream.h"
#include "unpack/tarout.h"
#include "unpack/treeout.h"

struct counted {
	struct sink tar;
	bool any;
};

static int on_entry(void *ctx, const struct entry *entry, struct err *e)
{
	struct counted *c = ctx;

	c->any = true;
	return c->tar.entry(c->tar.ctx, entry, e);
}

static int on_data(void *ctx, const void *data, size_t len, struct err *e)
{
	struct counted *c = ctx;

	return c->tar.data(c->tar.ctx, data, len, e);
}

int layertar_make(int dir, int fd,
		  bool (*skip)(const char *path, const struct stat *st, bool empty),
		  struct compose_layer *out, bool *empty, struct err *e)
{
	struct tarout *tar = NULL;
	struct counted counted = { .any = false };
	struct sink sink = { on_entry, on_data, &counted };
	struct treeout walk = { .sink = &sink, .layer = true, .skip = skip };
	struct stat st;
	int rc = tarout_new(&tar, fd, e);

	if (rc < 0)
		return rc;
	counted.tar = tarout_sink(tar);
	rc = treeout_put(&walk, dir, NULL, "", e);
	if (!rc)
		rc = tarout_end(tar, e);
	tarout_free(tar);
	if (!rc && (fstat(fd, &st) < 0 || stream_blob_digest(fd, out->digest) < 0))
		rc = err_sys(e, "read the layer's archive");
	if (rc < 0)
		return rc;
	/* Nothing is compressed: the archive is the tar. */
	strcpy(out->diff_id, out->digest);
	out->bytes = (uint64_t)st.st_size;
	out->type = compose_type(fd);
	*empty = !counted.any;
	return 0;
}
