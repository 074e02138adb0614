#include "base/wireguard.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <string.h>

#include "base/netlink_wire.h"

static int take_family(const struct nlattr *attr, void *arg)
{
	if (nlattr_type(attr) == CTRL_ATTR_FAMILY_ID && nlattr_bytes(attr) >= sizeof(uint16_t))
		memcpy(arg, nlattr_data(attr), sizeof(uint16_t));
	return NLREAD_NEXT;
}

static int read_family(const struct nlmsghdr *h, void *arg)
{
	nlattr_each(h, sizeof(struct genlmsghdr), take_family, arg);
	return NLREAD_NEXT;
}

/* Generic netlink gives families their numbers at run time. */
static int find_family(struct netlink *nl, uint16_t *out, struct err *e)
{
	struct netlink_request rq;
	struct genlmsghdr *m = netlink_begin(&rq, GENL_ID_CTRL, 0, sizeof(*m));
	int code;

	m->cmd = CTRL_CMD_GETFAMILY;
	m->version = 1;
	nlattr_put_text(&rq.u.header, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	*out = 0;
	code = netlink_talk(nl, &rq, read_family, out);
	if (code == 0 && !*out)
		code = -ENOENT;
	return code < 0 ? err_code(e, code, "the kernel does not know WireGuard") : 0;
}

static void begin_device(struct netlink_request *rq, uint16_t family, const char *link)
{
	struct genlmsghdr *m = netlink_begin(rq, family, 0, sizeof(*m));

	m->cmd = WG_CMD_SET_DEVICE;
	m->version = WG_GENL_VERSION;
	nlattr_put_text(&rq->u.header, WGDEVICE_A_IFNAME, link);
}

static void put_allowed(struct nlmsghdr *h, const struct netlink_addr *a)
{
	struct nlattr *one = nlattr_nest(h, 0);
	uint16_t family = (uint16_t)a->family;
	uint8_t bits = (uint8_t)a->prefix;

	nlattr_put(h, WGALLOWEDIP_A_FAMILY, sizeof(family), &family);
	nlattr_put(h, WGALLOWEDIP_A_IPADDR, netlink_addr_size(a->family), a->bytes);
	nlattr_put(h, WGALLOWEDIP_A_CIDR_MASK, sizeof(bits), &bits);
	nlattr_nest_end(h, one);
}

/* A message each: 64 networks of a peer fit, 64 peers with theirs would not. */
static int add_peer(struct netlink *nl, uint16_t family, const char *link,
		    const struct wireguard_peer *p)
{
	struct netlink_request rq;
	struct nlmsghdr *h = &rq.u.header;
	struct nlattr *peers, *peer, *allowed;

	begin_device(&rq, family, link);
	peers = nlattr_nest(h, WGDEVICE_A_PEERS);
	peer = nlattr_nest(h, 0);
	nlattr_put(h, WGPEER_A_PUBLIC_KEY, WG_KEY_LEN, p->public_key);
	nlattr_put(h, WGPEER_A_PRESHARED_KEY, WG_KEY_LEN, p->shared_key);
	nlattr_put_u32(h, WGPEER_A_FLAGS, WGPEER_F_REPLACE_ALLOWEDIPS);
	if (p->endpoint.any.sa_family)
		nlattr_put(h, WGPEER_A_ENDPOINT,
			   p->endpoint.any.sa_family == AF_INET ? sizeof(p->endpoint.v4) :
								  sizeof(p->endpoint.v6),
			   &p->endpoint);
	nlattr_put(h, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, sizeof(p->keepalive_s),
		   &p->keepalive_s);
	allowed = nlattr_nest(h, WGPEER_A_ALLOWEDIPS);
	for (size_t i = 0; i < p->allowed_count; i++)
		put_allowed(h, &p->allowed[i]);
	nlattr_nest_end(h, allowed);
	nlattr_nest_end(h, peer);
	nlattr_nest_end(h, peers);
	return netlink_talk(nl, &rq, NULL, NULL);
}

static int set_device(struct netlink *nl, uint16_t family, const char *link,
		      const struct wireguard *w)
{
	struct netlink_request rq;
	struct nlmsghdr *h = &rq.u.header;

	begin_device(&rq, family, link);
	nlattr_put_u32(h, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
	nlattr_put(h, WGDEVICE_A_PRIVATE_KEY, WG_KEY_LEN, w->private_key);
	nlattr_put(h, WGDEVICE_A_LISTEN_PORT, sizeof(w->port), &w->port);
	nlattr_put_u32(h, WGDEVICE_A_FWMARK, w->mark);
	return netlink_talk(nl, &rq, NULL, NULL);
}

int wireguard_set(const char *link, const struct wireguard *w, struct err *e)
{
	autonetlink struct netlink *nl = NULL;
	uint16_t family;
	int code = netlink_open_socket(NETLINK_GENERIC, 0, 0, &nl, e);

	if (code == 0)
		code = find_family(nl, &family, e);
	if (code < 0)
		return code;
	code = set_device(nl, family, link, w);
	for (size_t i = 0; i < w->peer_count && code == 0; i++)
		code = add_peer(nl, family, link, &w->peers[i]);
	return code < 0 ? err_code(e, code, "cannot set up the tunnel \"%s\"", link) : 0;
}
