/* resolv.conf, and the time servers, put together from all links. */
#pragma once

#include <yyjson.h>

#include "base/buf.h"
#include "netup/lease.h"

struct resolver {
	struct buf servers, search, time;
	size_t server_count;
};

void resolver_add_plan(struct resolver *r, yyjson_val *link);
void resolver_add_lease(struct resolver *r, const struct lease_file *f, yyjson_val *overrides);
char *resolver_text(const struct resolver *r); /* NULL: out of memory */
/* ntp.conf from the leases, the pool if there is none; a change restarts the time service. */
void resolver_write_time(const struct resolver *r);
void resolver_free(struct resolver *r);
