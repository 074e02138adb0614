/* Names of containers for containers: the program dns (runtime/dns), which this starts, hands two
 * sockets of each container's own network and tells who is called what. One that dies is started
 * again and given everything anew. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/container.h"

#define RESOLVER_ADDRESS "127.0.0.11" /* in each container, as docker's */

/* Is it, while it lives, on a network of people's own? */
bool resolver_wanted(const struct container *c);

/* Once it has a process and its wires. A fault is logged: names are missing then, nothing else. */
void resolver_attach(struct container *c, int netns);

/* Names, or the host's resolvers; told once for all that changed in one turn of the loop. */
void resolver_changed(struct engine *en);
void resolver_free(struct engine *en);

/* "CONTAINER:ALIAS", "CONTAINER": false when it is not live on that network. */
struct resolver_link {
	const struct container *to;
	const char *alias;
	uint32_t ip;
};
bool resolver_link(const struct container *c, const struct endpoint *ep, const char *text,
		   struct resolver_link *out);
