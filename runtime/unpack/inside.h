/* A path inside a container, as docker's clients write it, and what it is. */
#pragma once

#include <limits.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "unpack/view.h"

/* Absolute, without "." and ".." inside; a last "/" or "/." stays, since it means "what is in it".
 * 0, or -ENAMETOOLONG. */
int inside_clean(const char *path, char out[PATH_MAX]);

/* What the path ends with: "passwd", "." after "/.", "/" of the root. */
const char *inside_base(const char *clean, char out[NAME_MAX + 1]);

struct inside {
	char path[PATH_MAX];     /* clean */
	char base[NAME_MAX + 1];
	int fd;                  /* O_PATH, its last link not followed */
	struct stat st;
};

/* -ENOENT: "Could not find the file PATH in container NAME". 0 or -errno. */
int inside_open(struct inside *in, const struct view *v, const char *path, const char *container,
		struct err *e);

/* docker's PathStat: {"name", "size", "mode" as Go writes it, "mtime", "linkTarget"}. */
void inside_describe(const struct inside *in, const struct view *v, struct buf *json);
