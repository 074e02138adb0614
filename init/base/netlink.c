#include "base/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/netlink_wire.h"

enum { RECEIVE_BYTES = 32768 };

void *netlink_begin(struct netlink_request *rq, uint16_t type, uint16_t flags, size_t size)
{
	struct nlmsghdr *h;

	memset(rq, 0, sizeof(*rq));
	h = nlmsg_begin(rq->u.bytes);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
		h->nlmsg_flags |= NLM_F_ACK;
	return nlmsg_extend(h, size);
}

static int receive(struct netlink *nl, nlmsg_fn *cb, void *arg)
{
	_Alignas(struct nlmsghdr) char answer[RECEIVE_BYTES];
	int state = NLREAD_NEXT;

	while (state == NLREAD_NEXT) {
		ssize_t n = nlmsg_receive(nl->fd, answer, sizeof(answer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		state = nlmsg_each(answer, (size_t)n, nl->sequence, nl->port, cb, arg);
	}
	return state == NLREAD_STOP ? 0 : -errno;
}

int netlink_talk(struct netlink *nl, struct netlink_request *rq, nlmsg_fn *cb, void *arg)
{
	int code;

	if (nl->busy)
		return -EBUSY;
	rq->u.header.nlmsg_seq = ++nl->sequence;
	if (nlmsg_send(nl->fd, &rq->u.header) < 0)
		return -errno;
	nl->busy = true;
	code = receive(nl, cb, arg);
	nl->busy = false;
	return code;
}

int netlink_open_socket(int protocol, unsigned groups, int flags, struct netlink **out,
			struct err *e)
{
	struct netlink *nl = calloc(1, sizeof(*nl));

	if (!nl)
		return err_sys(e, "cannot open a netlink socket");
	nl->fd = nlmsg_socket(protocol, flags, groups, &nl->port);
	if (nl->fd < 0) {
		int code = err_sys(e, "cannot open a netlink socket");

		netlink_close(nl);
		return code;
	}
	*out = nl;
	return 0;
}

int netlink_open(struct netlink **out, struct err *e)
{
	return netlink_open_socket(NETLINK_ROUTE, 0, 0, out, e);
}

int netlink_monitor_open(struct netlink **out, struct err *e)
{
	return netlink_open_socket(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV6_IFINFO, SOCK_NONBLOCK,
				   out, e);
}

int netns_run(int netns_fd, netns_fn *fn, void *arg, struct err *e)
{
	autoclose int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int code;

	if (home < 0)
		return err_sys(e, "cannot open our own network namespace");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_sys(e, "cannot enter the network namespace");
	code = fn(arg, e);
	if (setns(home, CLONE_NEWNET) < 0) {
		/* Every later request would go to the wrong namespace. */
		err_sys(e, "cannot come back from the network namespace");
		abort();
	}
	return code;
}

static int open_here(void *out, struct err *e)
{
	return netlink_open(out, e);
}

int netlink_open_in(int netns_fd, struct netlink **out, struct err *e)
{
	return netns_run(netns_fd, open_here, out, e);
}

void netlink_close(struct netlink *nl)
{
	int saved = errno;

	if (!nl)
		return;
	if (nl->fd >= 0)
		close(nl->fd);
	free(nl);
	errno = saved;
}

void netlink_cleanup(struct netlink **nl)
{
	netlink_close(*nl);
}

int netlink_fd(const struct netlink *nl)
{
	return nl->fd;
}
