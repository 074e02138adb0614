/* The engine's list of containers, and its mirror on disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/internal.h"
#include "engine/saved.h"

/* Changes that the machine made by itself wait this long, so that a start is not held up by the
 * disk; what a person asked for is on disk before the answer. A full disk is tried again. */
enum { SOON_MS = 200, AGAIN_MS = 5000 };

int container_dir(const struct container *c, const char *file, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s%s%s", c->engine->paths.containers, c->id, *file ? "/" : "",
			 file);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int container_run_dir(const struct container *c, const char *file, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s%s%s", c->engine->paths.bundles, c->id, *file ? "/" : "",
			 file);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

char *container_log_path(const struct container *c)
{
	char *path;

	if (asprintf(&path, "%s/%s/%s-json.log", c->engine->paths.containers, c->id, c->id) < 0)
		return NULL;
	return path;
}

int keep_add(struct engine *en, struct container *c)
{
	if (en->count == en->room) {
		size_t room = en->room ? en->room * 2 : 16;
		struct container **grown = realloc(en->containers, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		en->containers = grown;
		en->room = room;
	}
	en->containers[en->count++] = c;
	return 0;
}

void keep_drop(struct engine *en, struct container *c)
{
	for (size_t i = 0; i < en->count; i++) {
		if (en->containers[i] != c)
			continue;
		memmove(en->containers + i, en->containers + i + 1,
			(en->count - i - 1) * sizeof(*en->containers));
		en->count--;
		return;
	}
}

static int write_record(struct container *c, struct err *e)
{
	autobuf struct buf text = { 0 };
	char path[PATH_MAX];
	int rc = saved_write(c, &text, e);

	if (!rc)
		rc = container_dir(c, "", path, sizeof(path));
	if (!rc)
		rc = path_mkdirs(path, 0700, e);
	if (!rc)
		rc = container_dir(c, "container.json", path, sizeof(path));
	if (!rc)
		rc = file_replace_at(AT_FDCWD, path, text.data, text.len, 0600, e);
	return rc;
}

static void flush(struct loop *l, void *arg);

static void flush_in(struct engine *en, int64_t ms)
{
	if (!en->save_timer)
		en->save_timer = loop_timer(en->loop, ms, flush, en);
}

static void note_fault(struct engine *en, const struct container *c, const struct err *e)
{
	if (!en->state_unsaved)
		log_error("state of container \"%s\" is not on disk and will be tried again: %s", c->name,
			  e->text);
	en->state_unsaved = true;
	en->state_fault = *e;
	flush_in(en, AGAIN_MS);
}

void keep_now(struct container *c)
{
	struct err e = { 0 };

	c->record_stale = write_record(c, &e) < 0;
	if (c->record_stale)
		note_fault(c->engine, c, &e);
}

static void flush(struct loop *l, void *arg)
{
	struct engine *en = arg;
	bool was_unsaved = en->state_unsaved;

	(void)l;
	en->save_timer = NULL;
	for (size_t i = 0; i < en->count; i++) {
		if (!en->containers[i]->record_stale)
			continue;
		keep_now(en->containers[i]);
		if (en->containers[i]->record_stale)
			return;
	}
	en->state_unsaved = false;
	if (was_unsaved)
		log_info("the state of all containers is on disk again");
}

void keep_soon(struct container *c)
{
	c->record_stale = true;
	flush_in(c->engine, SOON_MS);
}

void keep_next(struct container *c)
{
	c->record_stale = true;
	loop_remove(c->engine->loop, take_ptr(c->engine->save_timer));
	flush_in(c->engine, 0);
}

void keep_remove(struct container *c)
{
	struct engine *en = c->engine;
	autoclose int dir = open(en->paths.containers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };
	char json[CONTAINER_ID_LEN + 32];

	if (dir < 0)
		return;
	/* The record goes first: what is left after a power cut is then known to be rubbish. */
	snprintf(json, sizeof(json), "%s/container.json", c->id);
	unlinkat(dir, json, 0);
	if (path_remove_tree(dir, c->id, &e) < 0)
		log_warn("container \"%s\" is removed, its directory is not: %s", c->name, e.text);
}

static int load_one(struct engine *en, int dir, const char *id, struct err *e)
{
	autobuf struct buf text = { 0 };
	struct container *c = container_new(en);
	char path[CONTAINER_ID_LEN + 32];
	int rc;

	if (!c)
		return err_set(e, -ENOMEM, "out of memory");
	snprintf(path, sizeof(path), "%s/container.json", id);
	rc = file_read_at(dir, path, SAVED_MAX_BYTES, &text, e);
	if (!rc)
		rc = saved_read(c, buf_text(&text), text.len, e);
	if (!rc && strcmp(c->id, id))
		rc = err_set(e, -EINVAL, "it is the record of another container");
	if (!rc)
		rc = keep_add(en, c);
	if (rc < 0)
		container_free(c);
	return rc;
}

static int by_creation(const void *a, const void *b)
{
	const struct container *x = *(struct container *const *)a;
	const struct container *y = *(struct container *const *)b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* A directory without a record is what a crash left of a creation or a removal. One with a
 * record that cannot be read is kept aside for people: it may hold somebody's data. */
static void set_aside(int dir, const char *id, int rc, const struct err *e)
{
	char aside[CONTAINER_ID_LEN + 16];
	struct err failed = { 0 };

	if (rc == -ENOENT) {
		if (path_remove_tree(dir, id, &failed) < 0)
			log_warn("leftover \"%s\": %s", id, failed.text);
		return;
	}
	if (rc == -ENOMEM)
		return;
	snprintf(aside, sizeof(aside), "damaged-%s", id);
	if (renameat(dir, id, dir, aside) < 0)
		snprintf(aside, sizeof(aside), "%s", id);
	log_error("container %.12s cannot be read and is kept as \"%s\": %s", id, aside, e->text);
}

int keep_load(struct engine *en)
{
	autodir DIR *d = opendir(en->paths.containers);
	struct dirent *entry;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		struct err e = { 0 };
		int rc;

		if (strlen(entry->d_name) != CONTAINER_ID_LEN)
			continue;
		rc = load_one(en, dirfd(d), entry->d_name, &e);
		if (rc < 0)
			set_aside(dirfd(d), entry->d_name, rc, &e);
	}
	if (en->count)
		qsort(en->containers, en->count, sizeof(*en->containers), by_creation);
	return 0;
}
