/* Links: list, watch, make, change. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <string.h>

#include "base/netlink_wire.h"

static void copy_text(char *out, size_t room, const struct nlattr *attr)
{
	size_t len = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	if (len >= room)
		len = room - 1;
	memcpy(out, mnl_attr_get_payload(attr), len);
	out[len] = '\0';
}

static int read_info(const struct nlattr *attr, void *arg)
{
	struct netlink_link *l = arg;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		copy_text(l->kind, sizeof(l->kind), attr);
	return MNL_CB_OK;
}

static int read_link_attr(const struct nlattr *attr, void *arg)
{
	struct netlink_link *l = arg;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		copy_text(l->name, sizeof(l->name), attr);
		break;
	case IFLA_MTU:
		l->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_MASTER:
		l->master = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_CARRIER:
		l->carrier = mnl_attr_get_u8(attr) != 0;
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(l->mac))
			memcpy(l->mac, mnl_attr_get_payload(attr), sizeof(l->mac));
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attr, read_info, l);
		break;
	}
	return MNL_CB_OK;
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
		return MNL_CB_OK;
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*info))
		return MNL_CB_OK;
	info = mnl_nlmsg_get_payload(h);
	/* A bridge's port changes come as RTM_DELLINK of family AF_BRIDGE: the link stays. */
	if (info->ifi_family != AF_UNSPEC)
		return MNL_CB_OK;
	l.index = info->ifi_index;
	l.hw_type = info->ifi_type;
	l.flags = info->ifi_flags;
	l.gone = h->nlmsg_type == RTM_DELLINK;
	mnl_attr_parse(h, sizeof(*info), read_link_attr, &l);
	reader->fn(&l, reader->arg);
	return MNL_CB_OK;
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
	mnl_attr_put_strz(&rq.u.header, IFLA_IFNAME, name);
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
		ssize_t n = mnl_socket_recvfrom(nl->socket, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return err_sys(e, "cannot read the changes of network links");
		/* Unsolicited messages: neither sequence nor port is checked. */
		mnl_cb_run(bytes, (size_t)n, 0, 0, read_link, &reader);
	}
}

/* Starts a request that makes `name` of `kind`; the attributes that follow go into IFLA_INFO_DATA
 * between the two nests, which the caller ends. */
static struct nlattr *begin_new(struct netlink_request *rq, const char *name, const char *kind)
{
	struct nlattr *info;

	mnl_attr_put_strz(&rq->u.header, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(&rq->u.header, IFLA_LINKINFO);
	mnl_attr_put_strz(&rq->u.header, IFLA_INFO_KIND, kind);
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
	mnl_attr_nest_end(&rq.u.header, info);
	code = netlink_talk(nl, &rq, NULL, NULL);
	if (code == -EEXIST && netlink_link_get(nl, name, &there, NULL) == 0 &&
	    strcmp(there.kind, "bridge") == 0)
		return 0;
	return code < 0 ? err_code(e, code, "cannot make the bridge \"%s\"", name) : 0;
}

static void put_mac_mtu(struct nlmsghdr *h, const uint8_t *mac, unsigned mtu)
{
	if (mac)
		mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
	if (mtu)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
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
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, veth->peer);
	put_mac_mtu(h, veth->peer_mac, veth->mtu);
	if (veth->peer_netns_fd >= 0)
		mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)veth->peer_netns_fd);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
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

	info->ifi_index = index;
	if (change->up || change->down) {
		info->ifi_change = IFF_UP;
		info->ifi_flags = change->up ? IFF_UP : 0;
	}
	if (change->name)
		mnl_attr_put_strz(h, IFLA_IFNAME, change->name);
	put_mac_mtu(h, change->mac, change->mtu);
	if (change->master)
		mnl_attr_put_u32(h, IFLA_MASTER,
				 change->master > 0 ? (uint32_t)change->master : 0);
	if (change->netns_fd > 0)
		mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)change->netns_fd);
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
