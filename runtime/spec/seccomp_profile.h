/* Docker's default seccomp profile, made for what the container is granted.
 * Semantics of moby's profiles/seccomp (default profile of 2025), amd64 and arm64: allow what
 * programs need, EPERM for the rest, and further calls with the capability that they go with. */
#pragma once

#include <stdint.h>

#include "spec/oci.h"

/* `capabilities`: bit set of the container's bounding set. 0 or -ENOMEM. */
int seccomp_profile_default(uint64_t capabilities, struct oci_seccomp *out);
