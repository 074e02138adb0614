#include "update/routers.h"

#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/netlink.h"

enum { ROUTERS_MAX = 16, WAIT_MS = 1000, LOOK_EVERY_MS = 50 };

struct routers {
	struct {
		int index;
		struct netlink_addr address;
		bool answers;
	} items[ROUTERS_MAX];
	size_t count;
};

static void note_route(const struct netlink_route *r, void *arg)
{
	struct routers *all = arg;

	if (r->table != RT_TABLE_MAIN || r->to.prefix || !r->via.family || all->count == ROUTERS_MAX)
		return;
	all->items[all->count].index = r->index;
	all->items[all->count++].address = r->via;
}

static void note_neighbour(int index, const struct netlink_addr *a, bool answers, void *arg)
{
	struct routers *all = arg;

	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].index == index && all->items[i].address.family == a->family &&
		    memcmp(all->items[i].address.bytes, a->bytes, sizeof(a->bytes)) == 0)
			all->items[i].answers = answers;
}

/* Has each family that has a router one that answers? */
static bool count_answers(const struct routers *all, bool *ipv4, bool *ipv6)
{
	bool has4 = false, has6 = false;

	*ipv4 = *ipv6 = false;
	for (size_t i = 0; i < all->count; i++) {
		bool is4 = all->items[i].address.family == AF_INET;

		*(is4 ? ipv4 : ipv6) |= all->items[i].answers;
		*(is4 ? &has4 : &has6) = true;
	}
	return (*ipv4 || !has4) && (*ipv6 || !has6);
}

void routers_ask(bool *ipv4, bool *ipv6)
{
	autonetlink struct netlink *nl = NULL;
	struct routers all = { .count = 0 };
	int64_t end = clock_boot_ms() + WAIT_MS;

	*ipv4 = *ipv6 = false;
	if (netlink_open(&nl, NULL) < 0 || netlink_routes(nl, note_route, &all, NULL) < 0)
		return;
	for (size_t i = 0; i < all.count; i++)
		netlink_neighbour_ask(nl, all.items[i].index, &all.items[i].address, NULL);
	while (netlink_neighbours(nl, note_neighbour, &all, NULL) == 0 &&
	       !count_answers(&all, ipv4, ipv6) && clock_boot_ms() < end)
		poll(NULL, 0, LOOK_EVERY_MS);
}
