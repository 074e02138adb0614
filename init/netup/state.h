/* What is known of the links, in files that others read: /run/berth/net/LINK.json, one per link,
 * and /run/berth/resolv.conf, made of all of them. Every file is replaced as a whole. */
#pragma once

#include "base/buf.h"
#include "netup/lease.h"

enum link_state {
	LINK_NO_CARRIER, /* nothing is plugged in */
	LINK_ASKING,     /* the DHCP client asks */
	LINK_NO_ANSWER,  /* it asks on, nobody has answered so far */
	LINK_BOUND,      /* it has a lease */
};

/* The folder is a parameter for the tests: "/run/berth". */
int state_write(const char *run, const char *link, enum link_state state,
		const struct lease *lease, struct err *e);
int state_remove(const char *run, const char *link, struct err *e);

/* The state that was written last for the link; LINK_NO_CARRIER if there is none. */
enum link_state state_read(const char *run, const char *link);

/* The text of LINK.json (without its end of line). */
void state_text(const char *link, enum link_state state, const struct lease *lease,
		struct buf *out);
