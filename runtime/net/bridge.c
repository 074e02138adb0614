#include "net/bridge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { ROUTES_MAX = 256, ROUTES_BYTES_MAX = 1 << 20, LEFTOVERS_MAX = 64 };

static struct netlink_addr addr_of(uint32_t ip, unsigned prefix)
{
	struct netlink_addr a = { .family = AF_INET, .prefix = prefix };
	uint32_t net = htonl(ip);

	memcpy(a.bytes, &net, sizeof(net));
	return a;
}

struct own_address {
	struct subnet subnet;
	bool found;
};

static void take_address(int index, const struct netlink_addr *a, uint8_t protocol, void *arg)
{
	struct own_address *own = arg;
	uint32_t net;

	(void)index;
	(void)protocol;
	if (a->family != AF_INET || !a->prefix || a->prefix > 30)
		return;
	memcpy(&net, a->bytes, sizeof(net));
	own->subnet.prefix = a->prefix;
	own->subnet.network = ntohl(net) & (~0U << (32 - a->prefix));
	own->found = true;
}

static int keep_subnet(struct bridge *b, struct err *e)
{
	struct netlink_link link;
	struct own_address own = { 0 };
	int rc = netlink_link_get(b->nl, b->name, &link, e);

	if (rc < 0)
		return rc;
	rc = netlink_addrs(b->nl, link.index, AF_INET, take_address, &own, e);
	if (rc < 0 || !own.found)
		return rc < 0 ? rc : -ENODEV;
	b->subnet = own.subnet;
	return 0;
}

int bridge_choose(struct bridge *b, const char *name, struct err *e)
{
	struct subnet taken[ROUTES_MAX];
	autobuf struct buf routes = { 0 };
	size_t count = 0;
	int rc;

	snprintf(b->name, sizeof(b->name), "%s", name);
	if (!b->nl) {
		rc = netlink_open(&b->nl, e);
		if (rc < 0)
			return rc;
	}
	if (!keep_subnet(b, NULL))
		return 0;
	if (!file_read_at(AT_FDCWD, "/proc/net/route", ROUTES_BYTES_MAX, &routes, NULL))
		count = subnets_from_routes(buf_text(&routes), name, taken, ROUTES_MAX);
	rc = subnet_choose(taken, count, &b->subnet);
	if (rc < 0)
		return err_set(e, rc, "no subnet for %s: the host's routes cover docker's pools", name);
	return 0;
}

static int turn_forwarding_on(struct bridge *b, const char *mark, struct err *e)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_forward";
	autobuf struct buf now = { 0 };
	int rc;

	if (!access(mark, F_OK)) {
		b->forwarding_is_ours = true;
		return file_put_at(AT_FDCWD, path, "1", e);
	}
	rc = file_read_at(AT_FDCWD, path, 64, &now, e);
	if (rc < 0 || *buf_text(&now) != '0')
		return rc;
	/* The mark first: forwarding that is on and not known as ours would stay open. */
	rc = file_replace_at(AT_FDCWD, mark, "", 0, 0600, e);
	if (rc < 0)
		return rc;
	b->forwarding_is_ours = true;
	return file_put_at(AT_FDCWD, path, "1", e);
}

/* What is bridged stays below IP: otherwise br_netfilter shows packets between containers to
 * everybody's firewall rules. The files are missing in kernels without br_netfilter. */
static void keep_bridge_out_of_netfilter(void)
{
	static const char *const files[] = {
		"/proc/sys/net/bridge/bridge-nf-call-iptables",
		"/proc/sys/net/bridge/bridge-nf-call-ip6tables",
		"/proc/sys/net/bridge/bridge-nf-call-arptables",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		file_put_at(AT_FDCWD, files[i], "0", NULL);
}

int bridge_ensure(struct bridge *b, const char *mark, struct err *e)
{
	struct netlink_addr gateway = addr_of(b->subnet.network + 1, b->subnet.prefix);
	uint8_t mac[6];
	struct netlink_change change = { .up = true, .mac = mac };
	struct netlink_link link;
	int rc;

	rc = netlink_bridge_add(b->nl, b->name, e);
	if (!rc)
		rc = netlink_link_get(b->nl, b->name, &link, e);
	if (rc < 0)
		return rc;
	/* A fixed address: the bridge would otherwise take that of its lowest port, which comes and
	 * goes, and containers' neighbour entries would be wrong each time. */
	bridge_mac(b->subnet.network + 1, mac);
	rc = netlink_link_change(b->nl, link.index, &change, e);
	if (!rc)
		rc = netlink_addr_add(b->nl, link.index, &gateway, e);
	if (!rc)
		rc = turn_forwarding_on(b, mark, e);
	if (rc < 0)
		return rc;
	keep_bridge_out_of_netfilter();
	b->index = link.index;
	return 0;
}

void bridge_close(struct bridge *b)
{
	netlink_close(b->nl);
	b->nl = NULL;
}

int bridge_route_localnet(const struct bridge *b, struct err *e)
{
	char path[64 + IFNAMSIZ];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/route_localnet", b->name);
	return file_put_at(AT_FDCWD, path, "1", e);
}

void bridge_link_name(const char *id, char out[IFNAMSIZ])
{
	snprintf(out, IFNAMSIZ, "vb%.12s", id);
}

void bridge_mac(uint32_t ip, uint8_t mac[6])
{
	uint32_t net = htonl(ip);

	mac[0] = 0x02;
	mac[1] = 0x42;
	memcpy(mac + 2, &net, sizeof(net));
}

static int configure_inside(const struct bridge *b, int netns_fd, uint32_t ip, struct err *e)
{
	static const char *const links[] = { "lo", "eth0" };
	autonetlink struct netlink *nl = NULL;
	struct netlink_change up = { .up = true };
	struct netlink_addr addr = addr_of(ip, b->subnet.prefix);
	struct netlink_link link = { 0 };
	struct netlink_route route = { .via = addr_of(b->subnet.network + 1, 32) };
	int rc = netlink_open_in(netns_fd, &nl, e);

	for (size_t i = 0; !rc && i < ARRAY_LEN(links); i++) {
		rc = netlink_link_get(nl, links[i], &link, e);
		if (!rc)
			rc = netlink_link_change(nl, link.index, &up, e);
	}
	if (!rc)
		rc = netlink_addr_add(nl, link.index, &addr, e);
	route.index = link.index;
	if (!rc)
		rc = netlink_route_add(nl, &route, e);
	return rc;
}

static int add_veth(struct bridge *b, const char *id, int netns_fd, const uint8_t peer_mac[6],
		    struct netlink_link *link, struct err *e)
{
	char name[IFNAMSIZ];
	struct netlink_veth veth = {
		.name = name,
		.peer = "eth0",
		.peer_netns_fd = netns_fd,
		.peer_mac = peer_mac,
	};
	int rc;

	bridge_link_name(id, name);
	rc = netlink_veth_add(b->nl, &veth, e);
	if (rc == -EEXIST) {
		/* The kernel takes a dead namespace's links away a little later than its processes. */
		rc = bridge_detach(b, id, e);
		if (!rc)
			rc = netlink_veth_add(b->nl, &veth, e);
	}
	return rc < 0 ? rc : netlink_link_get(b->nl, name, link, e);
}

int bridge_attach(struct bridge *b, const char *id, int netns_fd, uint32_t ip, struct err *e)
{
	struct netlink_change join = { .up = true, .master = b->index };
	struct netlink_link link;
	uint8_t mac[6];
	int rc;

	bridge_mac(ip, mac);
	rc = add_veth(b, id, netns_fd, mac, &link, e);
	if (!rc)
		rc = netlink_link_change(b->nl, link.index, &join, e);
	if (!rc)
		rc = configure_inside(b, netns_fd, ip, e);
	if (rc < 0) {
		err_prefix(e, "connect to %s", b->name);
		bridge_detach(b, id, NULL);
	}
	return rc;
}

int bridge_detach(struct bridge *b, const char *id, struct err *e)
{
	char name[IFNAMSIZ];
	struct netlink_link link;
	int rc;

	bridge_link_name(id, name);
	rc = netlink_link_get(b->nl, name, &link, e);
	if (rc == -ENODEV)
		return 0;
	return rc < 0 ? rc : netlink_link_del(b->nl, link.index, e);
}

struct leftovers {
	bool (*in_use)(const char *link, void *arg);
	void *arg;
	int index[LEFTOVERS_MAX];
	int count;
};

static void note_leftover(const struct netlink_link *link, void *arg)
{
	struct leftovers *l = arg;

	if (strcmp(link->kind, "veth") || strncmp(link->name, "vb", 2) || strlen(link->name) != 14)
		return;
	if (l->count < LEFTOVERS_MAX && !l->in_use(link->name, l->arg))
		l->index[l->count++] = link->index;
}

int bridge_repair(struct bridge *b, bool (*in_use)(const char *link, void *arg), void *arg,
		  struct err *e)
{
	int removed = 0;

	for (;;) {
		struct leftovers l = { .in_use = in_use, .arg = arg };
		int rc = netlink_links(b->nl, note_leftover, &l, e);

		for (int i = 0; !rc && i < l.count; i++)
			rc = netlink_link_del(b->nl, l.index[i], e);
		if (rc < 0)
			return rc;
		removed += l.count;
		if (l.count < LEFTOVERS_MAX)
			return removed;
	}
}
