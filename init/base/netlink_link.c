/* Links: list, watch, make, change. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <string.h>

#include "base/netlink_wire.h"

static void copy_text(char *out, size_t room, const struct nlattr *attr)
{
	size_t len = strnlen(nlattr_data(attr), nlattr_bytes(attr));

	if (len >= room)
		len = room - 1;
	memcpy(out, nlattr_data(attr), len);
	out[len] = '\0';
}

static int read_info(const struct nlattr *attr, void *arg)
{
	struct netlink_link *l = arg;

	if (nlattr_type(attr) == IFLA_INFO_KIND)
		copy_text(l->kind, sizeof(l->kind), attr);
	return NLREAD_NEXT;
}

static int read_link_attr(const struct nlattr *attr, void *arg)
{
	struct netlink_link *l = arg;

	switch (nlattr_type(attr)) {
	case IFLA_IFNAME:
		copy_text(l->name, sizeof(l->name), attr);
		break;
	case IFLA_MTU:
		l->mtu = nlattr_u32(attr);
		break;
	case IFLA_MASTER:
		l->master = (int)nlattr_u32(attr);
		break;
	case IFLA_CARRIER:
		l->carrier = nlattr_u8(attr) != 0;
		break;
	case IFLA_ADDRESS:
		if (nlattr_bytes(attr) == sizeof(l->mac))
			memcpy(l->mac, nlattr_data(attr), sizeof(l->mac));
		break;
	case IFLA_CARRIER_CHANGES:
		l->carrier_changes = nlattr_u32(attr);
		break;
	case IFLA_PERM_ADDRESS:
		if (nlattr_bytes(attr) == sizeof(l->own_mac))
			memcpy(l->own_mac, nlattr_data(attr), sizeof(l->own_mac));
		break;
	case IFLA_IFALIAS:
		copy_text(l->alias, sizeof(l->alias), attr);
		break;
	case IFLA_LINKINFO:
		nlattr_each_nested(attr, read_info, l);
		break;
	}
	return NLREAD_NEXT;
}

/* linux/if_link.h does not have the flags of IFLA_INET6_FLAGS; include/net/if_inet6.h has. */
enum { RA_MANAGED = 0x40, RA_OTHER = 0x80 };

static int read_ipv6_attr(const struct nlattr *attr, void *arg)
{
	struct netlink_link *l = arg;

	if (nlattr_type(attr) == IFLA_PROTINFO)
		nlattr_each_nested(attr, read_ipv6_attr, l);
	if (nlattr_type(attr) == IFLA_INET6_FLAGS) {
		l->asks_managed = nlattr_u32(attr) & RA_MANAGED;
		l->asks_other = nlattr_u32(attr) & RA_OTHER;
	}
	return NLREAD_NEXT;
}

struct link_reader {
	netlink_link_fn *fn;
	void *arg;
};

static int read_link(const struct nlmsghdr *h, void *arg)
{
	const struct link_reader *reader = arg;
	const struct ifinfomsg *info;
	struct netlink_link l = { 0 };

	if (h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK)
		return NLREAD_NEXT;
	if (nlmsg_payload_bytes(h) < sizeof(*info))
		return NLREAD_NEXT;
	info = nlmsg_payload(h);
	/* A bridge's port changes come as RTM_DELLINK of family AF_BRIDGE: the link stays. */
	if (info->ifi_family != AF_UNSPEC && info->ifi_family != AF_INET6)
		return NLREAD_NEXT;
	l.index = info->ifi_index;
	if (info->ifi_family == AF_INET6) {
		reader->fn(&l, reader->arg);
		return NLREAD_NEXT;
	}
	l.hw_type = info->ifi_type;
	l.flags = info->ifi_flags;
	l.gone = h->nlmsg_type == RTM_DELLINK;
	nlattr_each(h, sizeof(*info), read_link_attr, &l);
	if (memcmp(l.own_mac, "\0\0\0\0\0", sizeof(l.own_mac)) == 0)
		memcpy(l.own_mac, l.mac, sizeof(l.own_mac));
	reader->fn(&l, reader->arg);
	return NLREAD_NEXT;
}

int netlink_links(struct netlink *nl, netlink_link_fn *fn, void *arg, struct err *e)
{
	struct link_reader reader = { fn, arg };
	struct netlink_request rq;
	int code;

	netlink_begin(&rq, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	code = netlink_talk(nl, &rq, read_link, &reader);
	return code < 0 ? err_code(e, code, "cannot list the network links") : 0;
}

static int read_link_ipv6(const struct nlmsghdr *h, void *arg)
{
	const struct link_reader *reader = arg;
	const struct ifinfomsg *info;
	struct netlink_link l = { 0 };

	if (h->nlmsg_type != RTM_NEWLINK || nlmsg_payload_bytes(h) < sizeof(*info))
		return NLREAD_NEXT;
	info = nlmsg_payload(h);
	l.index = info->ifi_index;
	nlattr_each(h, sizeof(*info), read_ipv6_attr, &l);
	reader->fn(&l, reader->arg);
	return NLREAD_NEXT;
}

int netlink_links_ipv6(struct netlink *nl, netlink_link_fn *fn, void *arg, struct err *e)
{
	struct link_reader reader = { fn, arg };
	struct netlink_request rq;
	struct ifinfomsg *info = netlink_begin(&rq, RTM_GETLINK, NLM_F_DUMP, sizeof(*info));
	int code;

	info->ifi_family = AF_INET6;
	code = netlink_talk(nl, &rq, read_link_ipv6, &reader);
	return code < 0 ? err_code(e, code, "cannot list the links of IPv6") : 0;
}

static void keep_link(const struct netlink_link *l, void *arg)
{
	*(struct netlink_link *)arg = *l;
}

static bool name_fits(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ;
}

int netlink_link_get(struct netlink *nl, const char *name, struct netlink_link *out,
		     struct err *e)
{
	struct netlink_link found = { 0 };
	struct link_reader reader = { keep_link, &found };
	struct netlink_request rq;
	int code;

	if (!name_fits(name))
		return err_set(e, -ENODEV, "there is no network link \"%.40s\"", name);
	netlink_begin(&rq, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	nlattr_put_text(&rq.u.header, IFLA_IFNAME, name);
	code = netlink_talk(nl, &rq, read_link, &reader);
	if (code == -ENODEV || (code == 0 && found.index == 0))
		return err_set(e, -ENODEV, "there is no network link \"%s\"", name);
	if (code < 0)
		return err_code(e, code, "cannot look up the network link \"%s\"", name);
	*out = found;
	return 0;
}

int netlink_monitor_read(struct netlink *nl, netlink_link_fn *fn, void *arg, struct err *e)
{
	struct link_reader reader = { fn, arg };
	_Alignas(struct nlmsghdr) char bytes[16384];

	for (;;) {
		ssize_t n = nlmsg_receive(nl->fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return err_sys(e, "cannot read the changes of network links");
		/* Unsolicited messages: neither sequence nor port is checked. */
		nlmsg_each(bytes, (size_t)n, 0, 0, read_link, &reader);
	}
}

/* Starts a request that makes `name` of `kind`; the attributes that follow go into IFLA_INFO_DATA
 * between the two nests, which the caller ends. */
static struct nlattr *begin_new(struct netlink_request *rq, const char *name, const char *kind)
{
	struct nlattr *info;

	nlattr_put_text(&rq->u.header, IFLA_IFNAME, name);
	info = nlattr_nest(&rq->u.header, IFLA_LINKINFO);
	nlattr_put_text(&rq->u.header, IFLA_INFO_KIND, kind);
	return info;
}

int netlink_bridge_add(struct netlink *nl, const char *name, struct err *e)
{
	struct netlink_link there;
	struct netlink_request rq;
	struct nlattr *info;
	int code;

	if (!name_fits(name))
		return err_set(e, -EINVAL, "\"%.40s\" is no name for a network link", name);
	netlink_begin(&rq, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	info = begin_new(&rq, name, "bridge");
	nlattr_nest_end(&rq.u.header, info);
	code = netlink_talk(nl, &rq, NULL, NULL);
	if (code == -EEXIST && netlink_link_get(nl, name, &there, NULL) == 0 &&
	    strcmp(there.kind, "bridge") == 0)
		return 0;
	return code < 0 ? err_code(e, code, "cannot make the bridge \"%s\"", name) : 0;
}

static void put_mac_mtu(struct nlmsghdr *h, const uint8_t *mac, unsigned mtu)
{
	if (mac)
		nlattr_put(h, IFLA_ADDRESS, 6, mac);
	if (mtu)
		nlattr_put_u32(h, IFLA_MTU, mtu);
}

int netlink_veth_add(struct netlink *nl, const struct netlink_veth *veth, struct err *e)
{
	struct netlink_request rq;
	struct nlmsghdr *h = &rq.u.header;
	struct nlattr *info, *data, *peer;
	int code;

	if (!name_fits(veth->name) || !name_fits(veth->peer))
		return err_set(e, -EINVAL, "\"%.40s\" or \"%.40s\" is no name for a network link",
			       veth->name, veth->peer);
	netlink_begin(&rq, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	put_mac_mtu(h, veth->mac, veth->mtu);
	info = begin_new(&rq, veth->name, "veth");
	data = nlattr_nest(h, IFLA_INFO_DATA);
	peer = nlattr_nest(h, VETH_INFO_PEER);
	nlmsg_extend(h, sizeof(struct ifinfomsg));
	nlattr_put_text(h, IFLA_IFNAME, veth->peer);
	put_mac_mtu(h, veth->peer_mac, veth->mtu);
	if (veth->peer_netns_fd >= 0)
		nlattr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)veth->peer_netns_fd);
	nlattr_nest_end(h, peer);
	nlattr_nest_end(h, data);
	nlattr_nest_end(h, info);
	code = netlink_talk(nl, &rq, NULL, NULL);
	if (code < 0)
		return err_code(e, code, "cannot make the virtual link \"%s\"", veth->name);
	return 0;
}

int netlink_link_change(struct netlink *nl, int index, const struct netlink_change *change,
			struct err *e)
{
	struct netlink_request rq;
	struct nlmsghdr *h = &rq.u.header;
	struct ifinfomsg *info = netlink_begin(&rq, RTM_NEWLINK, 0, sizeof(*info));
	int code;

	if (change->name && !name_fits(change->name))
		return err_set(e, -EINVAL, "\"%.40s\" is no name for a network link", change->name);
	info->ifi_index = index;
	if (change->up || change->down) {
		info->ifi_change = IFF_UP;
		info->ifi_flags = change->up ? IFF_UP : 0;
	}
	if (change->name)
		nlattr_put_text(h, IFLA_IFNAME, change->name);
	if (change->alias)
		nlattr_put(h, IFLA_IFALIAS, strlen(change->alias), change->alias);
	put_mac_mtu(h, change->mac, change->mtu);
	if (change->master)
		nlattr_put_u32(h, IFLA_MASTER,
				 change->master > 0 ? (uint32_t)change->master : 0);
	if (change->netns_fd > 0)
		nlattr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)change->netns_fd);
	code = netlink_talk(nl, &rq, NULL, NULL);
	return code < 0 ? err_code(e, code, "cannot change the network link %d", index) : 0;
}

int netlink_link_del(struct netlink *nl, int index, struct err *e)
{
	struct netlink_request rq;
	struct ifinfomsg *info = netlink_begin(&rq, RTM_DELLINK, 0, sizeof(*info));
	int code;

	info->ifi_index = index;
	code = netlink_talk(nl, &rq, NULL, NULL);
	if (code < 0 && code != -ENODEV)
		return err_code(e, code, "cannot remove the network link %d", index);
	return 0;
}
