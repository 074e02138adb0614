/* Looks up what the banner shows, from the kernel and from PID 1. */
#pragma once

#include "base/buf.h"

/* Appends "eth0 10.0.2.15/24\n" for each address that others can reach; IPv4 first. */
void facts_addresses(struct buf *out);

/* PID 1's answer to "summary"; nothing if it does not answer within a second. */
void facts_summary(struct buf *out);

void facts_motd(struct buf *out);

/* A socket that becomes readable when an address comes or goes; -errno without one. */
int facts_watch_addresses(void);
