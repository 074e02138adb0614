/* Addresses and routes. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/netlink_wire.h"

#ifndef IFA_PROTO
#define IFA_PROTO 11 /* linux 5.18 */
#endif

size_t netlink_addr_size(int family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

int netlink_addr_parse(const char *text, struct netlink_addr *out)
{
	struct netlink_addr a = { 0 };
	char host[NETLINK_ADDR_TEXT_MAX];
	size_t len = strcspn(text, "/");
	unsigned widest;

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	a.family = strchr(host, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(a.family, host, a.bytes) != 1)
		return -EINVAL;
	widest = (unsigned)netlink_addr_size(a.family) * 8;
	a.prefix = widest;
	if (text[len] == '/') {
		const char *digits = text + len + 1;
		char *end;
		unsigned long prefix = strtoul(digits, &end, 10);

		if (*digits < '0' || *digits > '9' || *end || prefix > widest)
			return -EINVAL;
		a.prefix = (unsigned)prefix;
	}
	*out = a;
	return 0;
}

char *netlink_addr_text(const struct netlink_addr *a, char out[NETLINK_ADDR_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "";

	inet_ntop(a->family, a->bytes, host, sizeof(host));
	snprintf(out, NETLINK_ADDR_TEXT_MAX, "%s/%u", host, a->prefix);
	return out;
}

struct addr_reader {
	netlink_addr_fn *fn;
	void *arg;
	int index;
};

struct addr_attrs {
	struct netlink_addr local, address;
	uint8_t protocol;
};

static void copy_address(const struct nlattr *attr, struct netlink_addr *a)
{
	if (nlattr_bytes(attr) == netlink_addr_size(a->family))
		memcpy(a->bytes, nlattr_data(attr), netlink_addr_size(a->family));
	else
		a->family = AF_UNSPEC;
}

static int read_addr_attr(const struct nlattr *attr, void *arg)
{
	struct addr_attrs *found = arg;

	switch (nlattr_type(attr)) {
	case IFA_LOCAL:
		found->local.prefix = 1; /* seen */
		copy_address(attr, &found->local);
		break;
	case IFA_ADDRESS:
		copy_address(attr, &found->address);
		break;
	case IFA_PROTO:
		found->protocol = nlattr_u8(attr);
		break;
	}
	return NLREAD_NEXT;
}

static int read_addr(const struct nlmsghdr *h, void *arg)
{
	const struct addr_reader *reader = arg;
	const struct ifaddrmsg *m;
	struct addr_attrs found = { 0 };
	struct netlink_addr *a;

	if (h->nlmsg_type != RTM_NEWADDR || nlmsg_payload_bytes(h) < sizeof(*m))
		return NLREAD_NEXT;
	m = nlmsg_payload(h);
	if (reader->index && (int)m->ifa_index != reader->index)
		return NLREAD_NEXT;
	found.local.family = found.address.family = m->ifa_family;
	nlattr_each(h, sizeof(*m), read_addr_attr, &found);
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	a = found.local.prefix ? &found.local : &found.address;
	if (netlink_addr_size(a->family) == 0)
		return NLREAD_NEXT;
	a->prefix = m->ifa_prefixlen;
	reader->fn((int)m->ifa_index, a, found.protocol, reader->arg);
	return NLREAD_NEXT;
}

int netlink_addrs(struct netlink *nl, int index, int family, netlink_addr_fn *fn, void *arg,
		  struct err *e)
{
	struct addr_reader reader = { fn, arg, index };
	struct netlink_request rq;
	struct ifaddrmsg *m = netlink_begin(&rq, RTM_GETADDR, NLM_F_DUMP, sizeof(*m));
	int code;

	m->ifa_family = (uint8_t)family;
	code = netlink_talk(nl, &rq, read_addr, &reader);
	return code < 0 ? err_code(e, code, "cannot list the network addresses") : 0;
}

static int talk_addr(struct netlink *nl, uint16_t type, uint16_t flags, int index,
		     const struct netlink_addr *addr)
{
	struct netlink_request rq;
	struct nlmsghdr *h = &rq.u.header;
	struct ifaddrmsg *m = netlink_begin(&rq, type, flags, sizeof(*m));
	size_t size = netlink_addr_size(addr->family);

	if (size == 0)
		return -EAFNOSUPPORT;
	m->ifa_family = (uint8_t)addr->family;
	m->ifa_prefixlen = (uint8_t)addr->prefix;
	m->ifa_index = (uint32_t)index;
	nlattr_put(h, IFA_LOCAL, size, addr->bytes);
	nlattr_put(h, IFA_ADDRESS, size, addr->bytes);
	if (addr->family == AF_INET && addr->prefix < 31 && type == RTM_NEWADDR) {
		uint32_t ip, broadcast;

		memcpy(&ip, addr->bytes, sizeof(ip));
		broadcast = ip | htonl(0xffffffffu >> addr->prefix);
		nlattr_put_u32(h, IFA_BROADCAST, broadcast);
	}
	return netlink_talk(nl, &rq, NULL, NULL);
}

int netlink_addr_add(struct netlink *nl, int index, const struct netlink_addr *addr,
		     struct err *e)
{
	char text[NETLINK_ADDR_TEXT_MAX];
	int code = talk_addr(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, addr);

	if (code < 0 && code != -EEXIST)
		return err_code(e, code, "cannot add the address %s",
				netlink_addr_text(addr, text));
	return 0;
}

int netlink_addr_del(struct netlink *nl, int index, const struct netlink_addr *addr,
		     struct err *e)
{
	char text[NETLINK_ADDR_TEXT_MAX];
	int code = talk_addr(nl, RTM_DELADDR, 0, index, addr);

	if (code < 0 && code != -EADDRNOTAVAIL && code != -ENODEV)
		return err_code(e, code, "cannot remove the address %s",
				netlink_addr_text(addr, text));
	return 0;
}

static int talk_route(struct netlink *nl, uint16_t type, uint16_t flags,
		      const struct netlink_route *r)
{
	struct netlink_request rq;
	struct nlmsghdr *h = &rq.u.header;
	struct rtmsg *m = netlink_begin(&rq, type, flags, sizeof(*m));
	int family = r->to.family ? r->to.family : r->via.family;

	if (netlink_addr_size(family) == 0 || (r->via.family && r->via.family != family))
		return -EAFNOSUPPORT;
	m->rtm_family = (uint8_t)family;
	m->rtm_dst_len = r->to.family ? (uint8_t)r->to.prefix : 0;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = r->protocol ? r->protocol : RTPROT_STATIC;
	m->rtm_scope = r->via.family || family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	m->rtm_type = RTN_UNICAST;
	if (r->onlink)
		m->rtm_flags |= RTNH_F_ONLINK;
	if (r->to.family)
		nlattr_put(h, RTA_DST, netlink_addr_size(family), r->to.bytes);
	if (r->via.family)
		nlattr_put(h, RTA_GATEWAY, netlink_addr_size(family), r->via.bytes);
	if (r->source.family == family)
		nlattr_put(h, RTA_PREFSRC, netlink_addr_size(family), r->source.bytes);
	if (r->index)
		nlattr_put_u32(h, RTA_OIF, (uint32_t)r->index);
	if (r->metric)
		nlattr_put_u32(h, RTA_PRIORITY, r->metric);
	return netlink_talk(nl, &rq, NULL, NULL);
}

static const char *route_text(const struct netlink_route *r, char out[NETLINK_ADDR_TEXT_MAX])
{
	return r->to.family ? netlink_addr_text(&r->to, out) : "default";
}

int netlink_route_add(struct netlink *nl, const struct netlink_route *r, struct err *e)
{
	char text[NETLINK_ADDR_TEXT_MAX];
	int code = talk_route(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r);

	if (code < 0 && code != -EEXIST)
		return err_code(e, code, "cannot add the route %s", route_text(r, text));
	return 0;
}

int netlink_route_del(struct netlink *nl, const struct netlink_route *r, struct err *e)
{
	char text[NETLINK_ADDR_TEXT_MAX];
	int code = talk_route(nl, RTM_DELROUTE, 0, r);

	if (code < 0 && code != -ESRCH)
		return err_code(e, code, "cannot remove the route %s", route_text(r, text));
	return 0;
}

enum { FLUSH_MAX = 256 };

struct flush {
	struct netlink_route found[FLUSH_MAX];
	size_t count;
	int index;
	uint8_t protocol;
};

static int read_route_attr(const struct nlattr *attr, void *arg)
{
	struct netlink_route *r = arg;

	switch (nlattr_type(attr)) {
	case RTA_DST:
		r->to.family = AF_INET;
		copy_address(attr, &r->to);
		break;
	case RTA_GATEWAY:
		r->via.family = AF_INET;
		copy_address(attr, &r->via);
		break;
	case RTA_OIF:
		r->index = (int)nlattr_u32(attr);
		break;
	case RTA_PRIORITY:
		r->metric = nlattr_u32(attr);
		break;
	}
	return NLREAD_NEXT;
}

static int read_route(const struct nlmsghdr *h, void *arg)
{
	struct flush *f = arg;
	struct netlink_route r = { 0 };
	const struct rtmsg *m;

	if (h->nlmsg_type != RTM_NEWROUTE || nlmsg_payload_bytes(h) < sizeof(*m))
		return NLREAD_NEXT;
	m = nlmsg_payload(h);
	if (m->rtm_family != AF_INET || m->rtm_table != RT_TABLE_MAIN ||
	    m->rtm_protocol != f->protocol)
		return NLREAD_NEXT;
	nlattr_each(h, sizeof(*m), read_route_attr, &r);
	r.to.prefix = m->rtm_dst_len;
	r.protocol = m->rtm_protocol;
	/* A default route on link has neither: say "0.0.0.0/0", so that a family is known. */
	if (!r.to.family && !r.via.family)
		r.to.family = AF_INET;
	if ((!f->index || r.index == f->index) && f->count < FLUSH_MAX)
		f->found[f->count++] = r;
	return NLREAD_NEXT;
}

int netlink_routes_flush(struct netlink *nl, int index, uint8_t protocol, struct err *e)
{
	struct flush f = { .index = index, .protocol = protocol };
	struct netlink_request rq;
	struct rtmsg *m = netlink_begin(&rq, RTM_GETROUTE, NLM_F_DUMP, sizeof(*m));
	int code;

	m->rtm_family = AF_INET;
	code = netlink_talk(nl, &rq, read_route, &f);
	if (code < 0)
		return err_code(e, code, "cannot list the routes");
	/* Those through a gateway first: a gateway must stay reachable while they are there. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < f.count; i++)
			if ((f.found[i].via.family == 0) == (pass == 1)) {
				code = netlink_route_del(nl, &f.found[i], e);
				if (code < 0)
					return code;
			}
	return 0;
}
