/* DHCP clients: one process for a link and family, as long as it is wanted, started again when it
 * ends. What it learns goes through dhcp-event into the lease's file. */
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "base/loop.h"
#include "base/spawn.h"

struct client {
	struct loop *loop; /* set by client_want */
	char link[IFNAMSIZ];
	int family;
	bool stateless;        /* IPv6: ask for name servers alone */
	char hostname[65];     /* sent to the server; empty: none */
	struct child child;    /* pid 0: none */
	struct loop_source *end, *retry;
	int64_t retry_ms;
};

struct client_wish {
	const char *link;
	int family;
	bool stateless;
	const char *hostname; /* NULL: the machine's; "": none is sent */
};

/* Starts a client, or another if the wish has changed. `c` is zero at first. */
void client_want(struct client *c, struct loop *loop, const struct client_wish *wish);

/* Ends it and forgets the lease. */
void client_drop(struct client *c);

/* Ends it; the lease stays for the next one. */
void client_stop(struct client *c);

/* Asks whether the lease still holds: the cable may lead elsewhere. */
void client_renew(struct client *c);
