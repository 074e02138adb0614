#include "net/bridge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "net/ruleset.h"

enum { ROUTES_MAX = 256, ROUTES_BYTES_MAX = 1 << 20, LEFTOVERS_MAX = 64, DEFAULTS_MAX = 8 };

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

size_t bridge_routes(const char *except, struct subnet *out, size_t max)
{
	autobuf struct buf routes = { 0 };

	if (file_read_at(AT_FDCWD, "/proc/net/route", ROUTES_BYTES_MAX, &routes, NULL) < 0)
		return 0;
	return subnets_from_routes(buf_text(&routes), except, out, max);
}

int bridge_choose(struct bridge *b, const struct subnet *more, size_t more_count, struct err *e)
{
	struct subnet taken[ROUTES_MAX];
	size_t count = 0;
	int rc;

	if (!keep_subnet(b, NULL))
		return 0;
	for (; count < more_count && count < ROUTES_MAX / 2; count++)
		taken[count] = more[count];
	count += bridge_routes(b->name, taken + count, ROUTES_MAX - count);
	rc = subnet_choose(taken, count, &b->subnet);
	if (rc < 0)
		return err_set(e, rc, "all predefined address pools have been fully subnetted");
	return 0;
}

int bridge_forward(const char *mark, bool *ours, struct err *e)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_forward";
	autobuf struct buf now = { 0 };
	int rc;

	if (!access(mark, F_OK)) {
		*ours = true;
		return file_put_at(AT_FDCWD, path, "1", e);
	}
	rc = file_read_at(AT_FDCWD, path, 64, &now, e);
	if (rc < 0 || *buf_text(&now) != '0')
		return rc;
	/* The mark first: forwarding that is on and not known as ours would stay open. */
	rc = file_replace_at(AT_FDCWD, mark, "", 0, 0600, e);
	if (rc < 0)
		return rc;
	*ours = true;
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

int bridge_ensure(struct bridge *b, struct err *e)
{
	struct netlink_addr gateway = addr_of(b->gateway, b->subnet.prefix);
	uint8_t mac[6];
	struct netlink_change change = { .up = true, .mac = mac, .mtu = b->mtu };
	struct netlink_link link;
	int rc;

	rc = netlink_bridge_add(b->nl, b->name, e);
	if (!rc)
		rc = netlink_link_get(b->nl, b->name, &link, e);
	if (rc < 0)
		return rc;
	/* A fixed address: the bridge would otherwise take that of its lowest port, which comes and
	 * goes, and containers' neighbour entries would be wrong each time. */
	bridge_mac(b->gateway, mac);
	rc = netlink_link_change(b->nl, link.index, &change, e);
	if (!rc)
		rc = netlink_addr_add(b->nl, link.index, &gateway, e);
	if (rc < 0)
		return rc;
	keep_bridge_out_of_netfilter();
	b->index = link.index;
	return 0;
}

static int remove_link(struct netlink *nl, const char *name, struct err *e)
{
	struct netlink_link link;
	int rc = netlink_link_get(nl, name, &link, e);

	if (rc == -ENODEV)
		return 0;
	return rc < 0 ? rc : netlink_link_del(nl, link.index, e);
}

int bridge_remove(struct bridge *b, struct err *e)
{
	b->index = 0;
	return remove_link(b->nl, b->name, e);
}

int bridge_route_localnet(const struct bridge *b, struct err *e)
{
	char path[64 + IFNAMSIZ];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/route_localnet", b->name);
	return file_put_at(AT_FDCWD, path, "1", e);
}

void bridge_link_name(const char *id, unsigned slot, char out[IFNAMSIZ])
{
	static const char more[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char last[2] = { slot ? more[slot % WIRES_MAX] : '\0', '\0' };

	snprintf(out, IFNAMSIZ, "vb%.12s%s", id, last);
}

void bridge_mac(uint32_t ip, uint8_t mac[6])
{
	uint32_t net = htonl(ip);

	mac[0] = 0x02;
	mac[1] = 0x42;
	memcpy(mac + 2, &net, sizeof(net));
}

static int configure_inside(const struct bridge *b, const struct wire *w, const char *name,
			    struct err *e)
{
	const char *const links[] = { "lo", name };
	autonetlink struct netlink *nl = NULL;
	struct netlink_change up = { .up = true };
	struct netlink_addr addr = addr_of(w->ip, b->subnet.prefix);
	struct netlink_link link = { 0 };
	int rc = netlink_open_in(w->netns_fd, &nl, e);

	for (size_t i = 0; !rc && i < ARRAY_LEN(links); i++) {
		rc = netlink_link_get(nl, links[i], &link, e);
		if (!rc)
			rc = netlink_link_change(nl, link.index, &up, e);
	}
	return rc < 0 ? rc : netlink_addr_add(nl, link.index, &addr, e);
}

static int add_veth(struct bridge *b, const struct wire *w, const char *peer,
		    struct netlink_link *link, struct err *e)
{
	char name[IFNAMSIZ];
	struct netlink_veth veth = {
		.name = name,
		.peer = peer,
		.peer_netns_fd = w->netns_fd,
		.peer_mac = w->mac,
		.mtu = b->mtu,
	};
	int rc;

	bridge_link_name(w->id, w->slot, name);
	rc = netlink_veth_add(b->nl, &veth, e);
	if (rc == -EEXIST) {
		/* The kernel takes a dead namespace's links away a little later than its processes. */
		rc = remove_link(b->nl, name, e);
		if (!rc)
			rc = netlink_veth_add(b->nl, &veth, e);
	}
	return rc < 0 ? rc : netlink_link_get(b->nl, name, link, e);
}

int bridge_attach(struct bridge *b, const struct wire *w, struct err *e)
{
	struct netlink_change join = { .up = true, .master = b->index };
	struct netlink_link link;
	char peer[IFNAMSIZ];
	int rc;

	snprintf(peer, sizeof(peer), "eth%u", w->slot);
	rc = add_veth(b, w, peer, &link, e);
	if (!rc && w->guarded)
		rc = ruleset_guard_wire(link.name, w->mac, w->ip, e);
	if (!rc)
		rc = netlink_link_change(b->nl, link.index, &join, e);
	if (!rc)
		rc = configure_inside(b, w, peer, e);
	if (rc < 0) {
		err_prefix(e, "connect to %s", b->name);
		bridge_detach(b->nl, w->id, w->slot, NULL);
	}
	return rc;
}

struct default_routes {
	struct netlink_route items[DEFAULTS_MAX];
	size_t count;
};

static void note_default(const struct netlink_route *r, void *arg)
{
	struct default_routes *found = arg;

	if (r->to.family == AF_INET && !r->to.prefix && r->table == RT_TABLE_MAIN &&
	    found->count < DEFAULTS_MAX)
		found->items[found->count++] = *r;
}

int bridge_default_route(int netns_fd, unsigned slot, uint32_t gateway, struct err *e)
{
	autonetlink struct netlink *nl = NULL;
	struct netlink_route route = { .via = addr_of(gateway, 32) };
	struct default_routes old = { .count = 0 };
	struct netlink_link link;
	char name[IFNAMSIZ];
	int rc = netlink_open_in(netns_fd, &nl, e);

	if (!rc)
		rc = netlink_routes(nl, note_default, &old, e);
	for (size_t i = 0; !rc && i < old.count; i++)
		rc = netlink_route_del(nl, &old.items[i], e);
	if (rc < 0 || !gateway)
		return rc;
	snprintf(name, sizeof(name), "eth%u", slot);
	rc = netlink_link_get(nl, name, &link, e);
	route.index = link.index;
	return rc < 0 ? rc : netlink_route_add(nl, &route, e);
}

int bridge_detach(struct netlink *nl, const char *id, unsigned slot, struct err *e)
{
	char name[IFNAMSIZ];
	int rc;

	bridge_link_name(id, slot, name);
	rc = remove_link(nl, name, e);
	return rc < 0 ? rc : ruleset_unguard_wire(name, e);
}

struct leftovers {
	bool (*in_use)(const char *link, void *arg);
	void *arg;
	struct { int index; char name[IFNAMSIZ]; } links[LEFTOVERS_MAX];
	int count;
};

static void note_leftover(const struct netlink_link *link, void *arg)
{
	struct leftovers *l = arg;

	if (strcmp(link->kind, "veth") || strncmp(link->name, "vb", 2) || strlen(link->name) < 14)
		return;
	if (l->count == LEFTOVERS_MAX || l->in_use(link->name, l->arg))
		return;
	l->links[l->count].index = link->index;
	memcpy(l->links[l->count++].name, link->name, IFNAMSIZ);
}

int bridge_repair(struct netlink *nl, bool (*in_use)(const char *link, void *arg), void *arg,
		  struct err *e)
{
	int removed = 0;

	for (;;) {
		struct leftovers l = { .in_use = in_use, .arg = arg };
		int rc = netlink_links(nl, note_leftover, &l, e);

		for (int i = 0; !rc && i < l.count; i++) {
			rc = netlink_link_del(nl, l.links[i].index, e);
			if (!rc)
				rc = ruleset_unguard_wire(l.links[i].name, e);
		}
		if (rc < 0)
			return rc;
		removed += l.count;
		if (l.count < LEFTOVERS_MAX)
			return removed;
	}
}
