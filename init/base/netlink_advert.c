/* What routers advertise and the kernel has no use for. */
#include <errno.h>
#include <sys/socket.h>

#include "base/netlink_wire.h"

int netlink_advert_open(struct netlink **out, struct err *e)
{
	return netlink_open_socket(NETLINK_ROUTE, 1U << (RTNLGRP_ND_USEROPT - 1), SOCK_NONBLOCK, out,
				   e);
}

struct advert_reader {
	netlink_advert_fn *fn;
	void *arg;
};

static int read_advert(const struct nlmsghdr *h, void *arg)
{
	const struct advert_reader *reader = arg;
	const struct nduseroptmsg *m;

	if (h->nlmsg_type != RTM_NEWNDUSEROPT || nlmsg_payload_bytes(h) < sizeof(*m))
		return NLREAD_NEXT;
	m = nlmsg_payload(h);
	if (m->nduseropt_family == AF_INET6 &&
	    m->nduseropt_opts_len <= nlmsg_payload_bytes(h) - sizeof(*m))
		reader->fn(m->nduseropt_ifindex, (const uint8_t *)(m + 1), m->nduseropt_opts_len,
			   reader->arg);
	return NLREAD_NEXT;
}

int netlink_advert_read(struct netlink *nl, netlink_advert_fn *fn, void *arg, struct err *e)
{
	struct advert_reader reader = { fn, arg };
	_Alignas(struct nlmsghdr) char bytes[16384];

	for (;;) {
		ssize_t n = nlmsg_receive(nl->fd, bytes, sizeof(bytes));

		/* ENOBUFS: some were lost; they are said again by and by. */
		if (n < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return err_sys(e, "cannot read what routers advertise");
		nlmsg_each(bytes, (size_t)n, 0, 0, read_advert, &reader);
	}
}
