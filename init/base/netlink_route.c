/* Routes and rules. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <stdio.h>
#include <string.h>

#include "base/netlink_wire.h"

static int family_of(const struct netlink_route *r)
{
	return r->to.family ? r->to.family : r->via.family;
}

/* As ip(8): what has no router is on the link, what the host has itself is in it. */
static uint8_t scope_of(const struct netlink_route *r, int family)
{
	if (r->scope)
		return r->scope == NETLINK_SCOPE_LINK ? RT_SCOPE_LINK :
		       r->scope == NETLINK_SCOPE_HOST ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	if (family == AF_INET6)
		return RT_SCOPE_UNIVERSE;
	switch (r->type) {
	case RTN_LOCAL:
		return RT_SCOPE_HOST;
	case RTN_UNSPEC:
	case RTN_UNICAST:
		return r->via.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	case RTN_BROADCAST:
	case RTN_MULTICAST:
	case RTN_ANYCAST:
		return RT_SCOPE_LINK;
	default:
		return RT_SCOPE_UNIVERSE;
	}
}

/* A route that leads nowhere has no link. */
static bool has_link(const struct netlink_route *r)
{
	return r->type != RTN_BLACKHOLE && r->type != RTN_UNREACHABLE &&
	       r->type != RTN_PROHIBIT && r->type != RTN_THROW;
}

static void put_metrics(struct nlmsghdr *h, const struct netlink_route *r)
{
	struct nlattr *nest;

	if (!r->mtu && !r->congestion_window && !r->receive_window)
		return;
	nest = nlattr_nest(h, RTA_METRICS);
	if (r->mtu)
		nlattr_put_u32(h, RTAX_MTU, r->mtu);
	if (r->congestion_window)
		nlattr_put_u32(h, RTAX_INITCWND, r->congestion_window);
	if (r->receive_window)
		nlattr_put_u32(h, RTAX_INITRWND, r->receive_window);
	nlattr_nest_end(h, nest);
}

static void put_route(struct netlink_request *rq, const struct netlink_route *r, int family)
{
	struct nlmsghdr *h = &rq->u.header;
	size_t size = netlink_addr_size(family);

	if (r->to.family && r->to.prefix)
		nlattr_put(h, RTA_DST, size, r->to.bytes);
	if (r->via.family)
		nlattr_put(h, RTA_GATEWAY, size, r->via.bytes);
	if (r->source.family == family)
		nlattr_put(h, RTA_PREFSRC, size, r->source.bytes);
	if (r->index && has_link(r))
		nlattr_put_u32(h, RTA_OIF, (uint32_t)r->index);
	if (r->metric)
		nlattr_put_u32(h, RTA_PRIORITY, r->metric);
	if (r->table > 255)
		nlattr_put_u32(h, RTA_TABLE, r->table);
	put_metrics(h, r);
}

static int talk_route(struct netlink *nl, uint16_t type, uint16_t flags,
		      const struct netlink_route *r)
{
	struct netlink_request rq;
	struct rtmsg *m = netlink_begin(&rq, type, flags, sizeof(*m));
	int family = family_of(r);

	if (netlink_addr_size(family) == 0 || (r->via.family && r->via.family != family))
		return -EAFNOSUPPORT;
	m->rtm_family = (uint8_t)family;
	m->rtm_dst_len = r->to.family ? (uint8_t)r->to.prefix : 0;
	m->rtm_table = !r->table ? RT_TABLE_MAIN : r->table < 256 ? (uint8_t)r->table :
								   RT_TABLE_UNSPEC;
	m->rtm_protocol = r->protocol ? r->protocol : RTPROT_STATIC;
	/* A list does not tell the scope; to remove, the rest says enough. */
	m->rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : scope_of(r, family);
	m->rtm_type = r->type ? r->type : RTN_UNICAST;
	if (r->onlink)
		m->rtm_flags |= RTNH_F_ONLINK;
	put_route(&rq, r, family);
	return netlink_talk(nl, &rq, NULL, NULL);
}

static const char *route_text(const struct netlink_route *r, char out[NETLINK_ADDR_TEXT_MAX])
{
	return r->to.family && r->to.prefix ? netlink_addr_text(&r->to, out) : "default";
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

/* ---- lists ---- */
struct route_reader {
	netlink_route_fn *fn;
	void *arg;
};

static int read_metric(const struct nlattr *attr, void *arg)
{
	struct netlink_route *r = arg;

	switch (nlattr_type(attr)) {
	case RTAX_MTU:
		r->mtu = nlattr_u32(attr);
		break;
	case RTAX_INITCWND:
		r->congestion_window = nlattr_u32(attr);
		break;
	case RTAX_INITRWND:
		r->receive_window = nlattr_u32(attr);
		break;
	}
	return NLREAD_NEXT;
}

static void take_route_address(const struct nlattr *attr, int family, struct netlink_addr *a)
{
	a->family = family;
	a->prefix = (unsigned)netlink_addr_size(family) * 8;
	netlink_take_address(attr, a);
}

static int read_route_attr(const struct nlattr *attr, void *arg)
{
	struct netlink_route *r = arg;
	unsigned prefix = r->to.prefix;

	switch (nlattr_type(attr)) {
	case RTA_DST:
		take_route_address(attr, r->to.family, &r->to);
		r->to.prefix = prefix;
		break;
	case RTA_GATEWAY:
		take_route_address(attr, r->to.family, &r->via);
		break;
	case RTA_PREFSRC:
		take_route_address(attr, r->to.family, &r->source);
		break;
	case RTA_OIF:
		r->index = (int)nlattr_u32(attr);
		break;
	case RTA_PRIORITY:
		r->metric = nlattr_u32(attr);
		break;
	case RTA_TABLE:
		r->table = nlattr_u32(attr);
		break;
	case RTA_METRICS:
		nlattr_each_nested(attr, read_metric, r);
		break;
	}
	return NLREAD_NEXT;
}

static int read_route(const struct nlmsghdr *h, void *arg)
{
	const struct route_reader *reader = arg;
	struct netlink_route r = { 0 };
	const struct rtmsg *m;

	if (h->nlmsg_type != RTM_NEWROUTE || nlmsg_payload_bytes(h) < sizeof(*m))
		return NLREAD_NEXT;
	m = nlmsg_payload(h);
	if (!netlink_addr_size(m->rtm_family) || m->rtm_flags & RTM_F_CLONED)
		return NLREAD_NEXT;
	r.to.family = m->rtm_family;
	r.to.prefix = m->rtm_dst_len;
	r.table = m->rtm_table;
	r.protocol = m->rtm_protocol;
	r.type = m->rtm_type;
	r.onlink = m->rtm_flags & RTNH_F_ONLINK;
	nlattr_each(h, sizeof(*m), read_route_attr, &r);
	if (r.to.family)
		reader->fn(&r, reader->arg);
	return NLREAD_NEXT;
}

int netlink_routes(struct netlink *nl, netlink_route_fn *fn, void *arg, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct route_reader reader = { fn, arg };
	int code = 0;

	for (size_t i = 0; i < sizeof(families) && code == 0; i++) {
		struct netlink_request rq;
		struct rtmsg *m = netlink_begin(&rq, RTM_GETROUTE, NLM_F_DUMP, sizeof(*m));

		m->rtm_family = families[i];
		code = netlink_talk(nl, &rq, read_route, &reader);
	}
	return code < 0 ? err_code(e, code, "cannot list the routes") : 0;
}

/* ---- rules ---- */
static int talk_rule(struct netlink *nl, uint16_t type, uint16_t flags,
		     const struct netlink_rule *r)
{
	struct netlink_request rq;
	struct nlmsghdr *h = &rq.u.header;
	struct fib_rule_hdr *m = netlink_begin(&rq, type, flags, sizeof(*m));
	size_t size = netlink_addr_size(r->family);

	m->family = (uint8_t)r->family;
	m->src_len = r->from.family ? (uint8_t)r->from.prefix : 0;
	m->dst_len = r->to.family ? (uint8_t)r->to.prefix : 0;
	m->tos = r->tos;
	m->table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC;
	m->action = FR_ACT_TO_TBL;
	if (m->src_len)
		nlattr_put(h, FRA_SRC, size, r->from.bytes);
	if (m->dst_len)
		nlattr_put(h, FRA_DST, size, r->to.bytes);
	nlattr_put_u32(h, FRA_TABLE, r->table);
	if (r->priority)
		nlattr_put_u32(h, FRA_PRIORITY, r->priority);
	if (r->mark)
		nlattr_put_u32(h, FRA_FWMARK, r->mark);
	nlattr_put(h, FRA_PROTOCOL, sizeof(r->protocol), &r->protocol);
	return netlink_talk(nl, &rq, NULL, NULL);
}

int netlink_rule_add(struct netlink *nl, const struct netlink_rule *r, struct err *e)
{
	int code = talk_rule(nl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r);

	return code < 0 && code != -EEXIST ?
		err_code(e, code, "cannot add the rule for table %u", r->table) : 0;
}

int netlink_rule_del(struct netlink *nl, const struct netlink_rule *r, struct err *e)
{
	int code = talk_rule(nl, RTM_DELRULE, 0, r);

	return code < 0 && code != -ENOENT ?
		err_code(e, code, "cannot remove the rule for table %u", r->table) : 0;
}

struct rule_reader {
	netlink_rule_fn *fn;
	void *arg;
};

static int read_rule_attr(const struct nlattr *attr, void *arg)
{
	struct netlink_rule *r = arg;

	switch (nlattr_type(attr)) {
	case FRA_SRC:
		r->from.family = r->family;
		netlink_take_address(attr, &r->from);
		break;
	case FRA_DST:
		r->to.family = r->family;
		netlink_take_address(attr, &r->to);
		break;
	case FRA_TABLE:
		r->table = nlattr_u32(attr);
		break;
	case FRA_PRIORITY:
		r->priority = nlattr_u32(attr);
		break;
	case FRA_FWMARK:
		r->mark = nlattr_u32(attr);
		break;
	case FRA_PROTOCOL:
		r->protocol = nlattr_u8(attr);
		break;
	}
	return NLREAD_NEXT;
}

static int read_rule(const struct nlmsghdr *h, void *arg)
{
	const struct rule_reader *reader = arg;
	struct netlink_rule r = { 0 };
	const struct fib_rule_hdr *m;

	if (h->nlmsg_type != RTM_NEWRULE || nlmsg_payload_bytes(h) < sizeof(*m))
		return NLREAD_NEXT;
	m = nlmsg_payload(h);
	r.family = m->family;
	r.from.prefix = m->src_len;
	r.to.prefix = m->dst_len;
	r.tos = m->tos;
	r.table = m->table;
	nlattr_each(h, sizeof(*m), read_rule_attr, &r);
	if (netlink_addr_size(r.family))
		reader->fn(&r, reader->arg);
	return NLREAD_NEXT;
}

int netlink_rules(struct netlink *nl, netlink_rule_fn *fn, void *arg, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct rule_reader reader = { fn, arg };
	int code = 0;

	for (size_t i = 0; i < sizeof(families) && code == 0; i++) {
		struct netlink_request rq;
		struct fib_rule_hdr *m = netlink_begin(&rq, RTM_GETRULE, NLM_F_DUMP, sizeof(*m));

		m->family = families[i];
		code = netlink_talk(nl, &rq, read_rule, &reader);
	}
	return code < 0 ? err_code(e, code, "cannot list the routing rules") : 0;
}
