/* The wired links and what runs on each: a DHCP client as long as there is a link, started again
 * when it ends. */
#pragma once

#include "base/loop.h"
#include "base/netlink.h"

struct ports;

/* `only`: the links to take, NULL-terminated, whatever they are; NULL: every wired card.
 * The loop and the handle, which it changes links with, must outlive it. */
int ports_new(struct loop *loop, struct netlink *nl, char *const *only, struct ports **out,
	      struct err *e);

/* A link as it is now: from the first list, and from the monitor each time it changes. */
void ports_see(const struct netlink_link *link, void *ports);

size_t ports_count(const struct ports *p);

/* Ends the DHCP clients; addresses stay. */
void ports_free(struct ports *p);
