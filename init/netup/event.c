#include "netup/event.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/netlink.h"
#include "netup/lease.h"
#include "netup/netup.h"
#include "netup/state.h"

enum { OLD_MAX = 32 };

struct link {
	struct netlink *nl;
	struct netlink_link is;
};

struct old_addresses {
	const struct netlink_addr *keep; /* stays; NULL: none */
	struct netlink_addr items[OLD_MAX];
	size_t count;
};

static void note_old(int index, const struct netlink_addr *a, uint8_t protocol, void *arg)
{
	struct old_addresses *old = arg;
	const struct netlink_addr *keep = old->keep;

	(void)index, (void)protocol;
	if (keep && keep->prefix == a->prefix && memcmp(keep->bytes, a->bytes, 4) == 0)
		return;
	if (old->count < OLD_MAX)
		old->items[old->count++] = *a;
}

/* IPv4 of a link with DHCP is all ours: what another lease left goes. */
static int drop_addresses(struct link *l, const struct netlink_addr *keep, struct err *e)
{
	struct old_addresses old = { .keep = keep };
	int code = netlink_addrs(l->nl, l->is.index, AF_INET, note_old, &old, e);

	for (size_t i = 0; i < old.count && code == 0; i++)
		code = netlink_addr_del(l->nl, l->is.index, &old.items[i], e);
	return code;
}

static bool is_inside(const struct netlink_addr *net, const struct netlink_addr *host)
{
	for (unsigned bit = 0; bit < net->prefix; bit++)
		if ((net->bytes[bit / 8] ^ host->bytes[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

/* Clouds give /32 addresses with a gateway outside: that gateway is on the link. */
static int add_route(struct link *l, const struct lease *lease, const struct lease_route *r,
		     struct err *e)
{
	struct netlink_route route = {
		.to = r->to,
		.via = r->via,
		.source = lease->address,
		.index = l->is.index,
		/* The first card's default route goes before the second's. */
		.metric = NETUP_METRIC + (uint32_t)l->is.index,
		.protocol = RTPROT_DHCP,
		.onlink = r->via.family && !is_inside(&lease->address, &r->via),
	};

	return netlink_route_add(l->nl, &route, e);
}

static int apply_lease(struct link *l, const struct lease *lease, struct err *e)
{
	struct netlink_change change = { .mtu = lease->mtu };
	int code;

	/* A card may not do the MTU that it is told; it works with its own. */
	if (lease->mtu && lease->mtu != l->is.mtu &&
	    netlink_link_change(l->nl, l->is.index, &change, e) < 0)
		log_warn("%s: %s", lease->link, e->text);
	code = netlink_addr_add(l->nl, l->is.index, &lease->address, e);
	if (code == 0)
		code = drop_addresses(l, &lease->address, e);
	if (code == 0)
		code = netlink_routes_flush(l->nl, l->is.index, RTPROT_DHCP, e);
	for (size_t i = 0; i < lease->route_count && code == 0; i++)
		code = add_route(l, lease, &lease->routes[i], e);
	return code;
}

static void add_host(struct buf *line, const char *what, const struct netlink_addr *a)
{
	char text[NETLINK_ADDR_TEXT_MAX];

	netlink_addr_text(a, text);
	text[strcspn(text, "/")] = '\0';
	buf_addf(line, "%s%s", what, text);
}

static void tell_bound(const struct lease *l)
{
	autobuf struct buf line = { 0 };
	char text[NETLINK_ADDR_TEXT_MAX];

	buf_addf(&line, "%s by DHCP", netlink_addr_text(&l->address, text));
	for (size_t i = 0; i < l->route_count; i++)
		if (l->routes[i].to.family == 0)
			add_host(&line, ", gateway ", &l->routes[i].via);
	for (size_t i = 0; i < l->dns_count; i++)
		add_host(&line, i ? " " : ", name server ", &l->dns[i]);
	log_info("%s: %s", l->link, buf_text(&line));
}

static int open_link(const char *name, struct link *l, struct err *e)
{
	int code = netlink_open(&l->nl, e);

	return code < 0 ? code : netlink_link_get(l->nl, name, &l->is, e);
}

/* A lease: new, or the same again. */
static int on_lease(const char *link, char *const *environment, struct err *e)
{
	autobuf struct buf ignored = { 0 };
	enum link_state before = state_read(NETUP_RUN, link);
	struct link l = { 0 };
	struct lease lease;
	int code = lease_read(environment, &lease, &ignored, e);

	if (code == 0)
		code = open_link(link, &l, e);
	if (code == 0)
		code = apply_lease(&l, &lease, e);
	netlink_close(l.nl);
	if (code < 0)
		return code;
	if (before != LINK_BOUND) {
		for (char *line = ignored.data, *end; line && (end = strchr(line, '\n')); line = end + 1)
			log_warn("%s: %.*s", link, (int)(end - line), line);
		tell_bound(&lease);
	}
	return state_write(NETUP_RUN, link, LINK_BOUND, &lease, e);
}

/* No lease (any more): the client starts, or the lease has run out, or was refused. */
static int on_nothing(const char *link, char *const *environment, struct err *e)
{
	struct link l = { 0 };
	int code = open_link(link, &l, e);

	(void)environment;
	if (state_read(NETUP_RUN, link) == LINK_BOUND)
		log_warn("%s: the address is lost, asking for a new one", link);
	if (code == 0)
		code = netlink_routes_flush(l.nl, l.is.index, RTPROT_DHCP, e);
	if (code == 0)
		code = drop_addresses(&l, NULL, e);
	netlink_close(l.nl);
	return code < 0 ? code : state_write(NETUP_RUN, link, LINK_ASKING, NULL, e);
}

static int on_no_answer(const char *link, char *const *environment, struct err *e)
{
	(void)environment;
	if (state_read(NETUP_RUN, link) == LINK_NO_ANSWER)
		return 0;
	log_warn("%s: no DHCP server answers; asking on", link);
	return state_write(NETUP_RUN, link, LINK_NO_ANSWER, NULL, e);
}

static const struct {
	const char *name;
	int (*handle)(const char *link, char *const *environment, struct err *e);
} events[] = {
	{ "bound", on_lease },
	{ "renew", on_lease },
	{ "deconfig", on_nothing },
	{ "nak", on_nothing },
	{ "leasefail", on_no_answer },
};

static const char *link_of(char *const *environment)
{
	for (; *environment; environment++)
		if (strncmp(*environment, "interface=", 10) == 0)
			return *environment + 10;
	return "";
}

int event_handle(const char *event, char *const *environment)
{
	const char *link = link_of(environment);
	struct err e = { "" };

	if (!lease_is_link_name(link)) {
		log_error("the DHCP client named no network link");
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		if (strcmp(events[i].name, event) != 0)
			continue;
		if (events[i].handle(link, environment, &e) == 0)
			return 0;
		log_error("%s: %s", link, e.text);
		return 1;
	}
	return 0;
}
