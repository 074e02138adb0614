/* What happened lately: a ring in memory, and listeners that are told at once. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "spec/record.h"

struct container;
struct events;

struct event {
	int64_t time_ns;
	char *type;             /* docker's: "container", "image" ... */
	char *action;           /* docker's: "start", "die", "exec_create: sh -c id" ... */
	char *id;
	struct string_map attributes; /* a container's: its labels, "image", "name", more by action */
};

typedef void events_fn(void *arg, const struct event *event);

struct events *events_new(void);
void events_free(struct events *ev);

/* Of a container; `extra` (may be NULL): attributes besides its own. */
void events_add(struct events *ev, const char *action, const struct container *c,
		const struct string_map *extra);
/* Of anything. Without memory there is no event, and nothing else fails. */
void events_put(struct events *ev, const char *type, const char *action, const char *id,
		const struct string_map *attributes);

size_t events_count(const struct events *ev);
const struct event *events_get(const struct events *ev, size_t i); /* 0: the oldest kept */

int events_listen(struct events *ev, events_fn *fn, void *arg); /* 0 or -ENOMEM */
void events_unlisten(struct events *ev, void *arg);
size_t events_listeners(const struct events *ev);
