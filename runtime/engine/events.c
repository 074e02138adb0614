#include "engine/events.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/container.h"

/* A container's labels go into each of its events: so many are kept, and no more than so much. */
enum { RING = 256, RING_BYTES = 1 << 20 };

struct listener {
	events_fn *fn;
	void *arg;
	struct listener *next;
};

struct events {
	struct event ring[RING];
	size_t first, count, bytes;
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

static size_t size_of(const struct event *e)
{
	size_t size = strlen(e->type) + strlen(e->action) + strlen(e->id);

	for (size_t i = 0; i < e->attributes.count; i++)
		size += sizeof(*e->attributes.items) + strlen(e->attributes.items[i].name) +
			strlen(e->attributes.items[i].value);
	return size;
}

static void drop_oldest(struct events *ev)
{
	struct event *e = &ev->ring[ev->first];

	ev->bytes -= size_of(e);
	event_clear(e);
	ev->first = (ev->first + 1) % RING;
	ev->count--;
}

/* Takes what `made` owns. The newest is kept, however large. */
static void put(struct events *ev, struct event *made)
{
	size_t size = size_of(made);
	struct event *e;

	while (ev->count == RING || (ev->count && ev->bytes + size > RING_BYTES))
		drop_oldest(ev);
	e = &ev->ring[(ev->first + ev->count++) % RING];
	*e = *made;
	ev->bytes += size;
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
