/* What a process takes over from whoever called the runtime: file descriptors. */
#pragma once

#include "base/err.h"
#include "spec/oci.h"

/* --preserve-fds N: adds N to *count, after a look that each is open (NULL text: none). Were 3 free
 * now, the container would get a handle of the runtime's (a leak as in CVE-2024-21626). */
int inherit_preserve(const char *text, int *count, struct err *e);

/* Socket activation (sd_listen_fds(3)): where LISTEN_FDS is meant for this process, its fds come
 * first and the variables go on to the container's process, which is number 1. */
int inherit_listen(struct oci_process *p, int *count, struct err *e);

/* Makes user `uid` of the container the owner of the pipes that are its stdio. */
void inherit_give_stdio(const struct oci_mapping_list *map, uint32_t uid);
