/* What happened lately: a ring in memory, and listeners that are told at once. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct container;
struct events;

struct event {
	int64_t time_ns;
	const char *action;     /* docker's word: "create", "start", "die" ...; a literal */
	char id[65];
	char *name, *image;
	int64_t exit_code;      /* of "die" */
	int64_t ran_seconds;    /* of "die" */
	int signal;             /* of "kill" */
};

typedef void events_fn(void *arg, const struct event *event);

struct events *events_new(void);
void events_free(struct events *ev);

void events_add(struct events *ev, const char *action, const struct container *c, int signal);

size_t events_count(const struct events *ev);
const struct event *events_get(const struct events *ev, size_t i); /* 0: the oldest kept */

int events_listen(struct events *ev, events_fn *fn, void *arg); /* 0 or -ENOMEM */
void events_unlisten(struct events *ev, void *arg);
size_t events_listeners(const struct events *ev);
