#include "engine/events.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/container.h"

enum { RING = 256 };

struct listener {
	events_fn *fn;
	void *arg;
	struct listener *next;
};

struct events {
	struct event ring[RING];
	size_t first, count;
	struct listener *listeners;
};

struct events *events_new(void)
{
	return calloc(1, sizeof(struct events));
}

static void event_clear(struct event *e)
{
	for (size_t i = 0; i < e->attributes.count; i++) {
		free(e->attributes.items[i].name);
		free(e->attributes.items[i].value);
	}
	free(e->attributes.items);
	free(e->type);
	free(e->action);
	free(e->id);
	*e = (struct event){ 0 };
}

void events_free(struct events *ev)
{
	if (!ev)
		return;
	for (size_t i = 0; i < RING; i++)
		event_clear(&ev->ring[i]);
	while (ev->listeners)
		events_unlisten(ev, ev->listeners->arg);
	free(ev);
}

static int copy_map(const struct string_map *from, struct string_map *to)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < from->count; i++)
		rc = string_map_set(to, from->items[i].name, from->items[i].value);
	return rc;
}

/* Takes what `made` owns. */
static void put(struct events *ev, struct event *made)
{
	struct event *e;

	if (ev->count == RING)
		ev->first = (ev->first + 1) % RING;
	else
		ev->count++;
	e = &ev->ring[(ev->first + ev->count - 1) % RING];
	event_clear(e);
	*e = *made;
	for (struct listener *l = ev->listeners, *next; l; l = next) {
		next = l->next;
		l->fn(l->arg, e);
	}
}

static bool fill(struct event *e, const char *type, const char *action, const char *id)
{
	e->time_ns = clock_wall_ns();
	e->type = strdup(type);
	e->action = strdup(action);
	e->id = strdup(id);
	return e->type && e->action && e->id;
}

void events_put(struct events *ev, const char *type, const char *action, const char *id,
		const struct string_map *attributes)
{
	struct event made = { 0 };

	if (fill(&made, type, action, id) && copy_map(attributes, &made.attributes) == 0)
		put(ev, &made);
	else
		event_clear(&made);
}

void events_add(struct events *ev, const char *action, const struct container *c,
		const struct string_map *extra)
{
	static const struct string_map none;
	struct event made = { 0 };
	bool ok = fill(&made, "container", action, c->id);

	/* In this order: no label can pass for what is known. */
	ok = ok && copy_map(&c->spec.labels, &made.attributes) == 0;
	ok = ok && copy_map(extra ? extra : &none, &made.attributes) == 0;
	ok = ok && string_map_set(&made.attributes, "image", c->spec.image ? c->spec.image : "") == 0;
	ok = ok && string_map_set(&made.attributes, "name", c->name) == 0;
	if (ok)
		put(ev, &made);
	else
		event_clear(&made);
}

size_t events_count(const struct events *ev)
{
	return ev->count;
}

const struct event *events_get(const struct events *ev, size_t i)
{
	return &ev->ring[(ev->first + i) % RING];
}

int events_listen(struct events *ev, events_fn *fn, void *arg)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->fn = fn;
	l->arg = arg;
	l->next = ev->listeners;
	ev->listeners = l;
	return 0;
}

void events_unlisten(struct events *ev, void *arg)
{
	for (struct listener **p = &ev->listeners; *p;) {
		struct listener *l = *p;

		if (l->arg == arg) {
			*p = l->next;
			free(l);
		} else {
			p = &l->next;
		}
	}
}

size_t events_listeners(const struct events *ev)
{
	size_t n = 0;

	for (struct listener *l = ev->listeners; l; l = l->next)
		n++;
	return n;
}
