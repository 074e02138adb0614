/* User namespaces that are not (yet) the container's process's: one whose mapping a mount is to
 * have, and one that is joined, whose mapping nobody has written into config.json. Each takes a
 * process that is in it for a moment. */
#pragma once

#include "base/err.h"
#include "spec/oci.h"

/* A new one with this mapping: an fd of it, or -errno. */
int userns_make(const struct oci_mapping_list *uids, const struct oci_mapping_list *gids,
		struct err *e);

/* The mapping of the one at `path`, as the caller sees it. The lists must be empty. */
int userns_read(const char *path, struct oci_mapping_list *uids, struct oci_mapping_list *gids,
		struct err *e);
