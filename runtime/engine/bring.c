/* A declared container whose image is not there: it is pulled, however long the network or the
 * registry needs, and said so. One made by hand is not: the client pulls and asks again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "engine/internal.h"
#include "engine/job.h"

enum { FIRST_WAIT_MS = 2000, LONGEST_WAIT_MS = 5 * 60 * 1000, SAME_MS = 500, DISCARD = 16 * 1024 };

struct bring {
	struct job *job;
	struct loop_source *timer;
	int64_t wait_ms;
	char ref[REF_TEXT_MAX];
};

static bool is_policy(const struct container *c, const char *policy)
{
	return c->spec.pull_policy && !strcmp(c->spec.pull_policy, policy);
}

static bool image_is_there(const struct container *c)
{
	const struct image *image;

	return store_find(c->engine->store, c->image_id ? c->image_id : c->spec.image, &image,
			  NULL) == 0;
}

bool bring_wanted(const struct container *c)
{
	struct ref ref;

	if (!c->declaration || is_policy(c, "never") || ref_parse(&ref, c->spec.image, NULL) < 0)
		return false;
	/* "always": at the first start of the boot, not at each restart. */
	return !image_is_there(c) || (is_policy(c, "always") && !c->ever_started);
}

void bring_end(struct container *c)
{
	struct bring *b = take_ptr(c->bring);

	if (!b)
		return;
	job_free(b->job);
	loop_remove(c->engine->loop, b->timer);
	free(b);
}

/* Nobody looks at the progress; it must not fill the pipe. */
static void on_output(void *arg)
{
	struct container *c = arg;
	autobuf struct buf b = { 0 };

	while (job_read(c->bring->job, &b, DISCARD) == 1)
		buf_reset(&b);
}

static void try_now(struct container *c);

static void on_wait_over(struct loop *l, void *arg)
{
	struct container *c = arg;

	(void)l;
	c->bring->timer = NULL;
	try_now(c);
}

static void try_later(struct container *c, int64_t ms)
{
	c->bring->timer = loop_timer(c->engine->loop, ms, on_wait_over, c);
}

/* What another try would not change. */
static bool is_final(int rc)
{
	return rc == -ENOENT || rc == -EINVAL || rc == -EACCES || rc == -EBADMSG;
}

static void failed(struct container *c, int rc, const struct err *e)
{
	struct bring *b = c->bring;

	job_free(take_ptr(b->job));
	/* The one that is there is better than none. */
	if (image_is_there(c)) {
		log_warn("container \"%s\": its image is not renewed: %s", c->name, e->text);
		start_brought(c, 0, NULL);
		return;
	}
	if (is_final(rc)) {
		start_brought(c, rc, e);
		return;
	}
	b->wait_ms = b->wait_ms ? 2 * b->wait_ms : FIRST_WAIT_MS;
	if (b->wait_ms > LONGEST_WAIT_MS)
		b->wait_ms = LONGEST_WAIT_MS;
	log_warn("container \"%s\": pull of its image \"%s\": %s; again in %lld s", c->name,
		 c->spec.image, e->text, (long long)b->wait_ms / 1000);
	try_later(c, b->wait_ms);
}

static void on_ended(void *arg, int rc, const struct err *why)
{
	struct container *c = arg;
	struct bring *b = c->bring;
	struct err e = *why;
	bool news;

	if (!rc)
		rc = engine_take_image(c->engine, job_result(b->job), b->ref, &news, &e);
	if (rc < 0) {
		failed(c, rc, &e);
		return;
	}
	log_info("container \"%s\": image \"%s\" is here", c->name, c->spec.image);
	/* "always" may have brought another one than the container was made of. */
	free(take_ptr(c->image_id));
	start_brought(c, 0, NULL);
}

static bool others_bring_it(const struct container *c)
{
	for (size_t i = 0; i < c->engine->count; i++) {
		const struct container *other = c->engine->containers[i];

		if (other != c && other->bring && other->bring->job &&
		    !strcmp(other->bring->ref, c->bring->ref))
			return true;
	}
	return false;
}

static void try_now(struct container *c)
{
	struct bring *b = c->bring;
	const char *const arguments[] = { b->ref, NULL };
	struct job_wish wish = { .command = "pull", .arguments = arguments };
	struct job_fns fns = { .output = on_output, .ended = on_ended, .arg = c };
	struct err e = { 0 };
	int rc;

	if (others_bring_it(c)) {
		try_later(c, SAME_MS);
		return;
	}
	if (image_is_there(c) && !is_policy(c, "always")) {
		start_brought(c, 0, NULL);
		return;
	}
	rc = job_start(c->engine, &wish, &fns, &b->job, &e);
	if (rc < 0)
		failed(c, rc, &e);
}

int bring_begin(struct container *c)
{
	struct ref ref;

	if (ref_parse(&ref, c->spec.image, NULL) < 0)
		return -EINVAL;
	c->bring = calloc(1, sizeof(*c->bring));
	if (!c->bring)
		return -ENOMEM;
	ref_full(&ref, c->bring->ref);
	log_info("container \"%s\": pulling its image \"%s\"", c->name, c->spec.image);
	/* From the loop: whoever started it is not called back while it still starts. */
	try_later(c, 0);
	return 0;
}
