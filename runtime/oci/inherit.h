/* What a process takes over from whoever called the runtime: file descriptors. */
#pragma once

#include "base/err.h"
#include "spec/oci.h"

/* Opens /dev/null where the caller closed 0, 1 or 2: else a handle of the runtime's would get the
 * number and go on to the container. First of all. */
int inherit_fill_stdio(struct err *e);

/* --preserve-fds N: adds N to *count, after a look that each is open (NULL text: none). Were 3 free
 * now, the container would get a handle of the runtime's (a leak as in CVE-2024-21626). */
int inherit_preserve(const char *text, int *count, struct err *e);

/* Closes everything else that the caller left open, before the runtime opens anything: then no
 * path, neither the container's nor ours, leads to it. `count`: fds from 3 that stay. */
int inherit_close_rest(int count, struct err *e);

/* Socket activation (sd_listen_fds(3)): where LISTEN_FDS is meant for this process, its fds come
 * first; adds their number to *count. */
int inherit_listen(int *count, struct err *e);

/* And the variables go on to the container's process, which is number 1. */
int inherit_listen_env(struct oci_process *p, struct err *e);

/* Makes user `uid` of the container the owner of the pipes that are its stdio. */
void inherit_give_stdio(const struct oci_mapping_list *map, uint32_t uid);
