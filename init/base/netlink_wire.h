/* Inside of netlink_*.c: one request and its answer. */
#pragma once

#include <linux/rtnetlink.h>

#include "base/netlink.h"
#include "base/nlmsg.h"

enum { NETLINK_REQUEST_MAX = 4096 };

struct netlink {
	int fd;
	uint32_t port; /* our address on it */
	uint32_t sequence;
	bool busy; /* an answer is being read: a callback may not ask on this handle */
};

/* One message under construction. */
struct netlink_request {
	union {
		struct nlmsghdr header;
		char bytes[NETLINK_REQUEST_MAX];
	} u;
};

int netlink_open_socket(int protocol, unsigned groups, int flags, struct netlink **out,
			struct err *e);

/* Clears the request and returns its family header of `size` bytes. Flags: NLM_F_* besides
 * NLM_F_REQUEST; NLM_F_ACK is added unless it is a dump. */
void *netlink_begin(struct netlink_request *rq, uint16_t type, uint16_t flags, size_t size);

/* Sends it and gives each answer to `cb` (may be NULL). 0 or the kernel's -errno, no sentence. */
int netlink_talk(struct netlink *nl, struct netlink_request *rq, nlmsg_fn *cb, void *arg);

/* Bytes of an address of this family: 4, 16, or 0 for none. */
size_t netlink_addr_size(int family);

/* The attribute's address into `a`, whose family says its size; AF_UNSPEC if it does not fit. */
void netlink_take_address(const struct nlattr *attr, struct netlink_addr *a);
