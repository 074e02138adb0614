/* VMware's guestinfo, by the hypervisor's own door: an IN on port 0x5658 that it catches, also
 * from user space, so that neither vmtoolsd nor a kernel interface is needed. x86 only. Source:
 * open-vm-tools, "backdoor" and "message" of lib (the protocol's numbers). */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* The registers of one call. */
struct vmware_call {
	unsigned a, b, c, d, si, di;
};

/* Another one in tests. */
extern void (*vmware_door)(struct vmware_call *call);

/* Asks for a key ("guestinfo.userdata"). 1: its value is in `out`; 0: it is not set; -errno.
 * Only on VMware: anywhere else the processor refuses the instruction, so it runs in a jailed
 * child. */
int vmware_guestinfo(const char *key, struct buf *out, struct err *e);
