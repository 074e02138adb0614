/* Neighbours: who answers on a link. */
#include <errno.h>
#include <linux/neighbour.h>

#include "base/netlink_wire.h"

/* What a packet to the neighbour would set off, without the packet (NTF_USE). */
int netlink_neighbour_ask(struct netlink *nl, int index, const struct netlink_addr *a,
			  struct err *e)
{
	struct netlink_request rq;
	struct ndmsg *m = netlink_begin(&rq, RTM_NEWNEIGH, NLM_F_CREATE, sizeof(*m));
	char text[NETLINK_ADDR_TEXT_MAX];
	int code;

	m->ndm_family = (uint8_t)a->family;
	m->ndm_ifindex = index;
	m->ndm_flags = NTF_USE;
	nlattr_put(&rq.u.header, NDA_DST, netlink_addr_size(a->family), a->bytes);
	code = netlink_talk(nl, &rq, NULL, NULL);
	return code < 0 ? err_code(e, code, "cannot ask for %s", netlink_addr_text(a, text)) : 0;
}

struct neighbour_reader {
	netlink_neighbour_fn *fn;
	void *arg;
};

static int read_neighbour_attr(const struct nlattr *attr, void *arg)
{
	if (nlattr_type(attr) == NDA_DST)
		netlink_take_address(attr, arg);
	return NLREAD_NEXT;
}

/* One that was known and is asked again (NUD_STALE, _DELAY, _PROBE) counts until it failed. */
static int read_neighbour(const struct nlmsghdr *h, void *arg)
{
	const struct neighbour_reader *reader = arg;
	struct netlink_addr a = { 0 };
	const struct ndmsg *m;

	if (h->nlmsg_type != RTM_NEWNEIGH || nlmsg_payload_bytes(h) < sizeof(*m))
		return NLREAD_NEXT;
	m = nlmsg_payload(h);
	a.family = m->ndm_family;
	a.prefix = (unsigned)netlink_addr_size(a.family) * 8;
	nlattr_each(h, sizeof(*m), read_neighbour_attr, &a);
	if (netlink_addr_size(a.family))
		reader->fn(m->ndm_ifindex, &a,
			   !(m->ndm_state & (NUD_INCOMPLETE | NUD_FAILED)) && m->ndm_state != NUD_NONE,
			   reader->arg);
	return NLREAD_NEXT;
}

int netlink_neighbours(struct netlink *nl, netlink_neighbour_fn *fn, void *arg, struct err *e)
{
	struct neighbour_reader reader = { fn, arg };
	struct netlink_request rq;
	int code;

	netlink_begin(&rq, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	code = netlink_talk(nl, &rq, read_neighbour, &reader);
	return code < 0 ? err_code(e, code, "cannot list the neighbours") : 0;
}
