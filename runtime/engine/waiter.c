/* Who waits for what of a container: API requests, and the second half of "restart" and of
 * "remove by force". */
#include <errno.h>
#include <stdlib.h>

#include "engine/internal.h"

struct waiter {
	unsigned kinds;
	enum waiter_then then;
	engine_done_fn *done;
	void *arg;
	struct waiter *next;
};

int waiter_add(struct container *c, unsigned kinds, enum waiter_then then, engine_done_fn *done,
	       void *arg, struct err *e)
{
	struct waiter *w = calloc(1, sizeof(*w));
	struct waiter **end = &c->waiters;

	if (!w)
		return err_set(e, -ENOMEM, "out of memory");
	*w = (struct waiter){ .kinds = kinds, .then = then, .done = done, .arg = arg };
	while (*end)
		end = &(*end)->next;
	*end = w;
	return 0;
}

static void finish(struct container *c, struct waiter *w, int rc, const struct err *told)
{
	struct err e = { 0 };

	if (told)
		e = *told;
	if (rc >= 0 && w->then == THEN_START)
		rc = engine_start(c, w->done, w->arg, &e);
	else if (rc >= 0 && w->then != THEN_NOTHING)
		rc = engine_remove(c, false, w->then == THEN_REMOVE_VOLUMES, w->done, w->arg, &e);
	if (rc != ENGINE_PENDING && w->done)
		w->done(w->arg, c, rc, &e);
}

/* They are taken off the list first: a callback may add to it. The removal of the container
 * itself can only be the last one's doing, as it tells WAIT_REMOVED to all that are left. */
void waiter_tell(struct container *c, unsigned kinds, int rc, const struct err *e)
{
	struct waiter *told = NULL, **end = &told;

	for (struct waiter **p = &c->waiters; *p;) {
		struct waiter *w = *p;

		if (!(w->kinds & kinds)) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		w->next = NULL;
		*end = w;
		end = &w->next;
	}
	/* Those that only listen come before those that change it. */
	for (int changing = 0; changing < 2; changing++) {
		for (struct waiter *w = told; w; w = w->next)
			if ((w->then != THEN_NOTHING) == changing)
				finish(c, w, rc, e);
	}
	while (told) {
		struct waiter *w = told;

		told = w->next;
		free(w);
	}
}

void waiter_free_all(struct container *c)
{
	while (c->waiters) {
		struct waiter *w = c->waiters;

		c->waiters = w->next;
		free(w);
	}
}

void engine_forget(struct engine *en, void *arg)
{
	for (size_t i = 0; i < en->count; i++)
		for (struct waiter *w = en->containers[i]->waiters; w; w = w->next)
			if (w->arg == arg)
				w->done = NULL;
	for (struct exec *x = en->execs; x; x = x->next)
		if (x->arg == arg)
			x->done = NULL;
}
