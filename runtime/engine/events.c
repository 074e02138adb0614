#include "engine/events.h"

#include <errno.h>
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
	free(e->name);
	free(e->image);
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

void events_add(struct events *ev, const char *action, const struct container *c, int signal)
{
	struct event *e;

	if (ev->count == RING)
		ev->first = (ev->first + 1) % RING;
	else
		ev->count++;
	e = &ev->ring[(ev->first + ev->count - 1) % RING];
	event_clear(e);
	e->time_ns = clock_wall_ns();
	e->action = action;
	memcpy(e->id, c->id, sizeof(e->id));
	e->name = strdup(c->name);
	e->image = strdup(c->spec.image ? c->spec.image : "");
	e->exit_code = c->exit_code;
	if (c->finished_ns > c->started_ns)
		e->ran_seconds = (c->finished_ns - c->started_ns) / 1000000000;
	e->signal = signal;
	for (struct listener *l = ev->listeners, *next; l; l = next) {
		next = l->next;
		l->fn(l->arg, e);
	}
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
