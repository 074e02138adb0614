#include "unpack/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "image/keep.h"

static int open_dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int make_tmp(struct session *s, struct err *e)
{
	snprintf(s->name, sizeof(s->name), "tmp/%d-%lld", (int)getpid(), (long long)clock_wall_ns());
	if (mkdirat(s->store, s->name, 0700) < 0)
		return err_sys(e, "image store: make \"%s\"", s->name);
	s->tmp = openat(s->store, s->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* The lock goes with this process and its children: what is not locked is rubbish. */
	if (s->tmp < 0 || flock(s->tmp, LOCK_EX) < 0)
		return err_sys(e, "image store: lock \"%s\"", s->name);
	return 0;
}

int session_open(struct session *s, const char *const *dirs, size_t count, struct err *e)
{
	int rc = keep_prepare(dirs[0], e);

	*s = (struct session){ .store = -1, .tmp = -1 };
	if (rc < 0)
		return rc;
	s->store = open_dir(dirs[0]);
	if (s->store < 0)
		return err_sys(e, "image store \"%s\"", dirs[0]);
	for (size_t i = 1; i < count && s->other_count < SESSION_STORES_MAX; i++) {
		int fd = open_dir(dirs[i]);

		if (fd >= 0)
			s->others[s->other_count++] = fd;
	}
	return make_tmp(s, e);
}

void session_close(struct session *s)
{
	if (s->store >= 0 && *s->name)
		path_remove_tree(s->store, s->name, NULL);
	cleanup_fd(&s->tmp);
	cleanup_fd(&s->store);
	for (size_t i = 0; i < s->other_count; i++)
		close(s->others[i]);
	*s = (struct session){ .store = -1, .tmp = -1 };
}

int session_find_layer(const struct session *s, const char *diff_id)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "layers/%s", digest_hex(diff_id));
	fd = openat(s->store, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; fd < 0 && i < s->other_count; i++)
		fd = openat(s->others[i], path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

int session_new_layer(struct session *s, size_t n, struct err *e)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "layer-%zu", n);
	if (mkdirat(s->tmp, name, 0755) < 0)
		return err_sys(e, "image store: make \"%s/%s\"", s->name, name);
	fd = openat(s->tmp, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "image store: open \"%s/%s\"", s->name, name) : fd;
}

int session_new_blob(struct session *s, size_t n, struct err *e)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "blob-%zu", n);
	fd = openat(s->tmp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(e, "image store: make \"%s/%s\"", s->name, name) : fd;
}

/* Another pull may have brought the same layer meanwhile: then that one stays. */
static int name_part(struct session *s, const char *what, size_t n, const char *folder,
		     const char *digest, struct err *e)
{
	char from[32], to[128];

	snprintf(from, sizeof(from), "%s-%zu", what, n);
	snprintf(to, sizeof(to), "%s/%s", folder, digest_hex(digest));
	if (renameat(s->tmp, from, s->store, to) < 0 && errno != ENOTEMPTY && errno != EEXIST)
		return err_sys(e, "image store: make \"%s\"", to);
	return 0;
}

static int write_document(struct session *s, const struct session_document *d, struct err *e)
{
	char hex[SHA256_HEX_MAX], path[128];

	sha256_hex(d->text, d->len, hex);
	snprintf(path, sizeof(path), "blobs/sha256/%s", hex);
	return file_replace_at(s->store, path, d->text, d->len, 0600, e);
}

static int sync_part(int store, const char *path, struct err *e)
{
	autoclose int fd = openat(store, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, "image store: write \"%s\"", path);
	return 0;
}

static int name_layers(struct session *s, const struct layers *layers, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < layers->count; i++) {
		const struct layers_one *one = &layers->all[i];

		if (one->blob < 0)
			continue;
		rc = name_part(s, "layer", i, "layers", one->sums.diff_id, e);
		if (!rc)
			rc = name_part(s, "blob", i, "blobs/sha256", one->sums.blob, e);
	}
	return rc;
}

int session_commit(struct session *s, const struct layers *layers,
		   const struct session_document *config,
		   const struct session_document *manifest, struct err *e)
{
	int rc;

	for (size_t i = 0; i < layers->count; i++)
		if (layers->all[i].blob >= 0 && (!digest_valid(layers->all[i].sums.diff_id) ||
						 !digest_valid(layers->all[i].sums.blob)))
			return err_set(e, -EBADMSG, "layer %zu has no digest", i + 1);
	/* One sync for all files of all layers; their names come after it. */
	if (syncfs(s->tmp) < 0)
		return err_sys(e, "image store: write the layers");
	rc = name_layers(s, layers, e);
	if (!rc)
		rc = sync_part(s->store, "layers", e);
	if (!rc)
		rc = sync_part(s->store, "blobs/sha256", e);
	if (!rc)
		rc = write_document(s, config, e);
	return rc ? rc : write_document(s, manifest, e);
}

void session_clean(int store)
{
	autodir DIR *d = NULL;
	int fd = openat(store, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && (entry = readdir(d))) {
		autoclose int one = -1;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		one = openat(fd, entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (one < 0 || flock(one, LOCK_EX | LOCK_NB) == 0)
			path_remove_tree(fd, entry->d_name, NULL);
	}
}

int session_tell(int fd, const char *manifest_digest, const char *media_type, size_t len,
		 const char *layer_sizes)
{
	return dprintf(fd, "image %s %s %zu %s\n", manifest_digest, media_type, len,
		       *layer_sizes ? layer_sizes : "-") < 0 ? -EIO : 0;
}
