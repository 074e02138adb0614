/* Capability sets. Source: capabilities(7), cap_get_proc(3); runtime-spec config.md, "Linux
 * Process": what cannot be granted is a warning, not an error. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/oci.h"

struct caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

/* Names to bits; warns of those that this kernel does not know, and, unless the process gets
 * `all_rights` as the first of a new user namespace, of those that the runtime has not got itself.
 * NULL: empty sets. */
int caps_read(const struct oci_capabilities *from, bool all_rights, struct caps *out,
	      struct err *e);

/* Before the change of user: empties the bounding set and keeps the permitted one over it. */
int caps_bound(const struct caps *caps, struct err *e);

/* After it: the other sets, ambient last. */
int caps_apply(const struct caps *caps, struct err *e);
