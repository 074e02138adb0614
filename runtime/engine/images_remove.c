/* Taking images away: docker's rules of who may lose what, and the collection of what is left over.
 * What a container is made of stays, however it was asked for; so does what the system brings. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "engine/internal.h"
#include "engine/job.h"
#include "image/keep.h"

enum { SHORT = 12, CALM_MS = 30000 };

static const char *short_id(const char *digest)
{
	static char text[2][SHORT + 1];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "%.12s", digest_hex(digest));
	return text[turn];
}

static const struct container *user_of(const struct engine *en, const struct image *image,
				       bool running)
{
	for (size_t i = 0; i < en->count; i++) {
		const struct container *c = en->containers[i];

		if (c->image_id && !strcmp(c->image_id, image->id) &&
		    (!running || container_is_live(c)))
			return c;
	}
	return NULL;
}

bool engine_image_used(const struct engine *en, const struct image *image)
{
	return user_of(en, image, false) != NULL;
}

static bool is_tag(const char *full)
{
	struct ref ref;

	return !ref_parse(&ref, full, NULL) && *ref.tag;
}

static size_t tag_count(const struct image *image)
{
	size_t count = 0;

	for (size_t i = 0; i < image->ref_count; i++)
		count += is_tag(image->refs[i]);
	return count;
}

/* Which of its names is it? NULL: it was named by its ID. */
static const char *named_by(const struct image *image, const char *name)
{
	struct ref ref;
	char full[REF_TEXT_MAX];

	if (digest_valid(name) || ref_parse(&ref, name, NULL) < 0)
		return NULL;
	ref_full(&ref, full);
	for (size_t i = 0; i < image->ref_count; i++)
		if (!strcmp(image->refs[i], full))
			return image->refs[i];
	return NULL;
}

static int part_of_system(const char *name, struct err *e)
{
	return err_set(e, -EBUSY, "conflict: unable to delete %s (cannot be forced) - the image is part "
		       "of this machine's system", name);
}

static void tell(const struct image_teller *teller, const char *what, const char *full)
{
	char text[REF_TEXT_MAX];
	struct ref ref;

	if (ref_parse(&ref, full, NULL) == 0)
		teller->tell(teller->arg, what, ref_familiar(&ref, text));
	else
		teller->tell(teller->arg, what, full);
}

static int untag(struct engine *en, const char *full, const struct image_teller *teller,
		 struct err *e)
{
	char text[REF_TEXT_MAX];
	struct ref ref;
	int rc = keep_unname(en->paths.store_pulled, full, e);

	if (rc == -ENOENT)
		return part_of_system(ref_parse(&ref, full, NULL) ? full : ref_familiar(&ref, text), e);
	if (!rc)
		tell(teller, "Untagged", full);
	return rc;
}

static int untag_all(struct engine *en, const struct image *image,
		     const struct image_teller *teller, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < image->ref_count; i++)
		rc = untag(en, image->refs[i], teller, e);
	return rc;
}

static int delete_whole(struct engine *en, const struct image *image,
			const struct image_teller *teller, struct err *e)
{
	int rc = untag_all(en, image, teller, e);

	if (!rc)
		rc = keep_forget(en->paths.store_pulled, image->digest, e);
	if (rc < 0)
		return rc;
	teller->tell(teller->arg, "Deleted", image->id);
	for (size_t i = 0; i < image->layer_count; i++)
		teller->tell(teller->arg, "Deleted", image->layers[i].diff_id);
	return 0;
}

/* May it go altogether? `how` is what people named. */
static int check_delete(const struct engine *en, const struct image *image, const char *name,
			bool by_id, bool force, struct err *e)
{
	const struct container *running = user_of(en, image, true);
	const struct container *stopped = user_of(en, image, false);

	if (by_id && tag_count(image) > 1 && !force)
		return err_set(e, -EBUSY, "conflict: unable to delete %s (must be forced) - image is "
			       "referenced in multiple repositories", short_id(image->id));
	if (running)
		return err_set(e, -EBUSY, by_id ? "conflict: unable to delete %s (cannot be forced) - image "
			       "is being used by running container %.12s" : "conflict: unable to remove "
			       "repository reference \"%s\" (must force) - container %.12s is using its "
			       "referenced image %s", by_id ? short_id(image->id) : name, running->id,
			       short_id(image->id));
	if (stopped && !force)
		return err_set(e, -EBUSY, by_id ? "conflict: unable to delete %s (must be forced) - image "
			       "is being used by stopped container %.12s" : "conflict: unable to remove "
			       "repository reference \"%s\" (must force) - container %.12s is using its "
			       "referenced image %s", by_id ? short_id(image->id) : name, stopped->id,
			       short_id(image->id));
	return 0;
}

static int remove_named(struct engine *en, const struct image *image, const char *name,
			const char *full, bool force, const struct image_teller *teller,
			struct err *e)
{
	int rc;

	if (is_tag(full) && tag_count(image) > 1)
		return untag(en, full, teller, e);
	/* Forced: the name goes, the image stays for who uses it. */
	if (force && engine_image_used(en, image))
		return untag(en, full, teller, e);
	rc = check_delete(en, image, name, false, force, e);
	return rc ? rc : delete_whole(en, image, teller, e);
}

int engine_image_remove(struct engine *en, const char *name, bool force,
			const struct image_teller *teller, struct err *e)
{
	const struct image *image;
	const char *full;
	int rc = store_find(en->store, name, &image, e);

	if (rc < 0)
		return rc;
	full = named_by(image, name);
	if (full) {
		rc = remove_named(en, image, name, full, force, teller, e);
	} else {
		rc = check_delete(en, image, name, true, force, e);
		/* Forced, but a stopped container is made of it: its names go, what it is stays. */
		if (!rc)
			rc = engine_image_used(en, image) ? untag_all(en, image, teller, e) :
							    delete_whole(en, image, teller, e);
	}
	return engine_collect(en, rc, e);
}

uint64_t engine_image_own_bytes(const struct engine *en, const struct image *image)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < image->layer_count; i++) {
		bool shared = false;

		for (size_t k = 0; k < store_count(en->store); k++) {
			const struct image *other = store_image(en->store, k);

			for (size_t n = 0; other != image && n < other->layer_count; n++)
				shared |= !strcmp(other->layers[n].diff_id, image->layers[i].diff_id);
		}
		sum += shared ? 0 : image->layers[i].size_bytes;
	}
	return sum;
}

/* ---- what is left over ---- */

static void on_cleaned(void *arg, int rc, const struct err *e)
{
	struct engine *en = arg;

	if (rc < 0)
		log_warn("clean the image store: %s", e->text);
	job_free(take_ptr(en->cleaner));
}

/* Removing files takes long: another process does it. */
static void start_cleaner(struct engine *en)
{
	static const char *const none[] = { NULL };
	struct job_fns fns = { .ended = on_cleaned, .arg = en };
	struct job_wish wish = { .command = "clean", .arguments = none };
	struct err e = { 0 };

	if (!en->cleaner && job_start(en, &wish, &fns, &en->cleaner, &e) < 0)
		log_warn("clean the image store: %s", e.text);
}

void engine_clean_store(struct engine *en)
{
	struct err e = { 0 };

	/* A job brings layers before any index names them: collected when the last one is done. */
	en->uncollected = en->jobs > (en->cleaner ? 1U : 0U);
	if (en->uncollected)
		return;
	if (keep_collect(en->paths.store_pulled, &e) < 0)
		log_warn("image store: %s", e.text);
	start_cleaner(en);
}

static void on_calm(struct loop *l, void *arg)
{
	(void)l;
	engine_clean_store(arg);
}

void engine_clean_later(struct engine *en)
{
	loop_timer(en->loop, CALM_MS, on_calm, en);
}

/* `rc` of the change that went before: what it has done so far is in the index in any case. */
int engine_collect(struct engine *en, int rc, struct err *e)
{
	struct err again = { 0 };
	int reloaded = engine_reload_store(en, &again);

	if (!rc && reloaded < 0) {
		*e = again;
		return reloaded;
	}
	engine_clean_store(en);
	return rc;
}
