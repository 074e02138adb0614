/* Addresses. */
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

void netlink_take_address(const struct nlattr *attr, struct netlink_addr *a)
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
		netlink_take_address(attr, &found->local);
		break;
	case IFA_ADDRESS:
		netlink_take_address(attr, &found->address);
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

static struct ifaddrmsg *begin_addr(struct netlink_request *rq, uint16_t type, uint16_t flags,
				    int index, const struct netlink_addr *addr)
{
	struct ifaddrmsg *m = netlink_begin(rq, type, flags, sizeof(*m));
	size_t size = netlink_addr_size(addr->family);

	m->ifa_family = (uint8_t)addr->family;
	m->ifa_prefixlen = (uint8_t)addr->prefix;
	m->ifa_index = (uint32_t)index;
	nlattr_put(&rq->u.header, IFA_LOCAL, size, addr->bytes);
	nlattr_put(&rq->u.header, IFA_ADDRESS, size, addr->bytes);
	return m;
}

static void put_broadcast(struct nlmsghdr *h, const struct netlink_addr *addr)
{
	uint32_t ip;

	if (addr->family != AF_INET || addr->prefix >= 31)
		return;
	memcpy(&ip, addr->bytes, sizeof(ip));
	nlattr_put_u32(h, IFA_BROADCAST, ip | htonl(0xffffffffu >> addr->prefix));
}

static void put_options(struct nlmsghdr *h, const struct netlink_addr_options *o)
{
	struct ifa_cacheinfo times = { .ifa_valid = UINT32_MAX };

	if (o->label)
		nlattr_put_text(h, IFA_LABEL, o->label);
	if (o->protocol)
		nlattr_put(h, IFA_PROTO, sizeof(o->protocol), &o->protocol);
	if (o->deprecated)
		nlattr_put(h, IFA_CACHEINFO, sizeof(times), &times);
}

int netlink_addr_put(struct netlink *nl, int index, const struct netlink_addr *addr,
		     const struct netlink_addr_options *options, struct err *e)
{
	char text[NETLINK_ADDR_TEXT_MAX];
	struct netlink_request rq;
	int code = -EAFNOSUPPORT;

	if (options->label && strlen(options->label) >= IFNAMSIZ)
		return err_set(e, -EINVAL, "the label \"%.40s\" is too long", options->label);
	if (netlink_addr_size(addr->family)) {
		begin_addr(&rq, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, addr);
		put_broadcast(&rq.u.header, addr);
		put_options(&rq.u.header, options);
		code = netlink_talk(nl, &rq, NULL, NULL);
	}
	if (code < 0 && code != -EEXIST)
		return err_code(e, code, "cannot add the address %s",
				netlink_addr_text(addr, text));
	return 0;
}

int netlink_addr_add(struct netlink *nl, int index, const struct netlink_addr *addr,
		     struct err *e)
{
	return netlink_addr_put(nl, index, addr, &(struct netlink_addr_options){ 0 }, e);
}

int netlink_addr_del(struct netlink *nl, int index, const struct netlink_addr *addr,
		     struct err *e)
{
	char text[NETLINK_ADDR_TEXT_MAX];
	struct netlink_request rq;
	int code = -EAFNOSUPPORT;

	if (netlink_addr_size(addr->family)) {
		begin_addr(&rq, RTM_DELADDR, 0, index, addr);
		code = netlink_talk(nl, &rq, NULL, NULL);
	}
	if (code < 0 && code != -EADDRNOTAVAIL && code != -ENODEV)
		return err_code(e, code, "cannot remove the address %s",
				netlink_addr_text(addr, text));
	return 0;
}
