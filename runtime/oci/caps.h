/* Capability sets. Source: capabilities(7). */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/oci.h"

struct caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

/* Names to bits; a capability that the kernel or we do not know is refused. NULL: empty sets. */
int caps_read(const struct oci_capabilities *from, struct caps *out, struct err *e);

/* Before the change of user: empties the bounding set and keeps the permitted one over it. */
int caps_bound(const struct caps *caps, struct err *e);

/* After it: the other sets, ambient last. */
int caps_apply(const struct caps *caps, struct err *e);
