/* Which host ports are published, and by whom. Each is held with a bound socket, so that a
 * program of the host cannot take it later and one that has it already is found at once. Nothing
 * ever arrives at these sockets: dnat comes first. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "net/ruleset.h"

struct ports;

struct ports *ports_new(void);
void ports_free(struct ports *t);

/* Takes all of the range for `owner`, or none of it. `owner` is kept as a pointer to compare and
 * `name` is what others are told. -EADDRINUSE: "port 0.0.0.0:80/tcp is already published by
 * container \"web\"" or "... in use on the host by \"dropbear\" (pid 93)". */
int ports_claim(struct ports *t, const struct publish *p, const void *owner, const char *name,
		struct err *e);

/* As ports_claim for `count` ports that the kernel may choose; sets p->first and p->last. */
int ports_claim_any(struct ports *t, struct publish *p, unsigned count, const void *owner,
		    const char *name, struct err *e);

void ports_release(struct ports *t, const void *owner);
