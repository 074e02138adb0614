#include "api/sizes.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/progress.h"
#include "base/cleanup.h"
#include "engine/volume.h"

enum { NAME_MOST = 256 };

struct size {
	char name[NAME_MOST];
	int64_t bytes;
};

struct sizes {
	sizes_fn *fn;
	size_t count, room;
	struct size items[];
};

int64_t sizes_of(const struct sizes *s, const char *name)
{
	for (size_t i = 0; s && i < s->count; i++)
		if (!strcmp(s->items[i].name, name))
			return s->items[i].bytes;
	return 0;
}

int64_t sizes_of_root(const struct sizes *s, const struct container *c)
{
	const struct image *image;
	int rc = store_find(c->engine->store, c->image_id ? c->image_id : c->spec.image, &image, NULL);

	return sizes_of(s, c->id) + (rc ? 0 : (int64_t)image->size_bytes);
}

static void add(struct sizes *s, struct buf *told, const char *name, const char *path)
{
	if (s->count == s->room || strlen(name) >= NAME_MOST)
		return;
	strcpy(s->items[s->count].name, name);
	s->items[s->count++].bytes = 0;
	buf_adds(told, told->len > 1 ? "," : "");
	buf_add_json_string(told, path, strlen(path));
}

static void add_container(struct sizes *s, struct buf *told, const struct container *c)
{
	char path[PATH_MAX];

	container_dir(c, "upper", path, sizeof(path));
	add(s, told, c->id, path);
}

static void on_said(struct request *r, struct buf *said, void *state)
{
	struct sizes *s = state;
	const char *text = buf_text(said);

	for (size_t i = 0; i < s->count && *text; i++) {
		char *end;

		s->items[i].bytes = strtoll(text, &end, 10);
		text = end + (*end == '\n');
	}
	s->fn(r, s);
}

static void count(struct request *r, struct sizes *s, struct buf *told)
{
	static const char *const none[] = { NULL };

	buf_addc(told, ']');
	reply_job(r, &(struct progress_wish){
		.job = { .command = "usage", .arguments = none, .told = buf_text(told),
			 .told_len = told->len, .bystander = true },
		.said = on_said, .state = s,
	});
}

void sizes_count(struct request *r, unsigned what, const struct container *only, sizes_fn *fn)
{
	const struct engine *en = r->engine;
	autobuf struct buf told = { 0 };
	struct volume *volumes = NULL;
	struct err e = { 0 };
	size_t count_volumes = 0;
	struct sizes *s;
	int rc = what & SIZES_VOLUMES ? volumes_list(en, &volumes, &count_volumes, &e) : 0;

	s = malloc(sizeof(*s) + (en->count + count_volumes) * sizeof(s->items[0]));
	if (!rc && !s)
		rc = err_set(&e, -ENOMEM, "out of memory");
	if (s)
		*s = (struct sizes){ .fn = fn, .room = en->count + count_volumes };
	buf_addc(&told, '[');
	for (size_t i = 0; !rc && what & SIZES_CONTAINERS && i < en->count; i++)
		if (!only || only == en->containers[i])
			add_container(s, &told, en->containers[i]);
	for (size_t i = 0; i < count_volumes; i++) {
		if (!rc)
			add(s, &told, volumes[i].name, volumes[i].mountpoint);
		volume_free(&volumes[i]);
	}
	free(volumes);
	if (rc < 0) {
		free(s);
		reply_errno(r, rc, &e);
		return;
	}
	count(r, s, &told);
}
