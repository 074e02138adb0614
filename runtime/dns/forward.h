/* One question to the resolvers outside, over UDP: each is asked in turn, from a socket and with an
 * id of its own, until one answers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "dns/message.h"
#include "dns/names.h"

struct forward;

/* `answer` NULL: nobody answered. The forward is gone then. */
typedef void forward_done_fn(void *arg, const uint8_t *answer, size_t len);

/* At most DNS_QUERY_MAX bytes. NULL: out of memory or of sockets; `done` was not called. */
struct forward *forward_ask(struct loop *l, const struct servers *servers, const uint8_t *query,
			    size_t len, forward_done_fn *done, void *arg);
void forward_cancel(struct forward *f);

/* An answer that makes it worth to ask the next one: that one could not, or would not. */
int forward_refused(const uint8_t *answer, size_t len);
