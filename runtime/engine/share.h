/* "container:NAME": whose processes or network a container shares, and in whose user namespace it
 * then is: only there has it the rights that go with them. */
#pragma once

#include <stdint.h>

#include "engine/container.h"

/* Fills pid_owner and net_owner. -EBUSY: one does not run; -EINVAL: that cannot be shared. */
int share_find_owners(struct container *c, struct err *e);

/* Itself, or the one that it shares with; NULL: it is in the host's user namespace. */
const struct container *share_userns(const struct container *c);
uint32_t share_userns_base(const struct container *c);

/* Paths of the namespaces to be joined; "": its own. */
struct share_names {
	char pid[48], net[48], user[48];
};
void share_namespaces(const struct container *c, struct share_names *out);
