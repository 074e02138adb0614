#include "netup/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_arp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/spawn.h"
#include "netup/netup.h"
#include "netup/state.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MOST_MS = 30000, PORTS_MAX = 64, HOSTNAME_LEN = 65 };

struct port {
	struct ports *owner;
	int index;
	bool carrier;
	char name[IFNAMSIZ];
	struct child client;            /* pid 0: none */
	struct loop_source *end, *retry;
	int64_t retry_ms;
};

struct ports {
	struct loop *loop;
	struct netlink *nl;
	char *const *only;
	struct port *items[PORTS_MAX];
	size_t count;
};

/* ---- which links ---- */
static bool has_entry(const char *link, const char *entry)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", link, entry);
	return access(path, F_OK) == 0;
}

static bool is_named(char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* A card: Ethernet, with a device behind it, no radio, and in no bond or bridge. */
static bool is_wanted(const struct ports *p, const struct netlink_link *l)
{
	if (!lease_is_link_name(l->name) || l->gone)
		return false;
	if (p->only)
		return is_named(p->only, l->name);
	return l->hw_type == ARPHRD_ETHER && !l->kind[0] && !l->master &&
	       has_entry(l->name, "device") && !has_entry(l->name, "phy80211");
}

/* ---- the client ---- */
static void start_client(struct port *p);

static void stop_client(struct port *p)
{
	loop_remove(p->owner->loop, take_ptr(p->end));
	loop_remove(p->owner->loop, take_ptr(p->retry));
	if (!p->client.pid)
		return;
	kill(p->client.pid, SIGTERM);
	spawn_wait(&p->client);
	p->client.pid = 0;
}

static void on_retry(struct loop *l, void *arg)
{
	struct port *p = arg;

	(void)l;
	p->retry = NULL;
	start_client(p);
}

static void retry_later(struct port *p)
{
	p->retry = loop_timer(p->owner->loop, p->retry_ms, on_retry, p);
	p->retry_ms = p->retry_ms * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : p->retry_ms * 2;
}

static void on_client_end(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct port *p = arg;
	int code;

	(void)fd, (void)events;
	loop_remove(l, take_ptr(p->end));
	code = spawn_wait(&p->client);
	p->client.pid = 0;
	log_warn("%s: the DHCP client ended (%d); it is started again in %lld ms", p->name, code,
		 (long long)p->retry_ms);
	retry_later(p);
}

/* Asks each second at first: a bridge or a switch port may need some to let packets through. */
static void start_client(struct port *p)
{
	char name[HOSTNAME_LEN] = "", option[HOSTNAME_LEN + 16];
	const char *argv[] = { NETUP_DHCP_CLIENT, "-f", "-i", p->name, "-s", NETUP_DHCP_EVENT,
			       "-t", "8", "-T", "1", "-A", "5", "-O", "staticroutes", "-O", "search",
			       "-O", "mtu", "-O", "ntpsrv", "-x", option, NULL };
	struct spawn s = { .argv = argv, .inherit_stdio = true };
	struct err e = { "" };

	gethostname(name, sizeof(name) - 1);
	snprintf(option, sizeof(option), "hostname:%s", name[0] ? name : "berth");
	if (spawn(&s, &p->client, &e) < 0) {
		log_error("%s: %s", p->name, e.text);
		p->client.pid = 0;
		retry_later(p);
		return;
	}
	p->end = loop_fd(p->owner->loop, p->client.pidfd, EPOLLIN, on_client_end, p);
}

/* ---- a link's life ---- */
static void put_sysctl(const struct port *p, const char *name, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", p->name, name);
	file_put_at(AT_FDCWD, path, value, NULL);
}

static void tell_state(const struct port *p, enum link_state state)
{
	struct err e = { "" };

	if (state_write(NETUP_RUN, p->name, state, NULL, &e) < 0)
		log_error("%s: %s", p->name, e.text);
}

static void add_port(struct ports *all, const struct netlink_link *l)
{
	struct netlink_change up = { .up = true };
	struct err e = { "" };
	struct port *p;

	if (all->count == PORTS_MAX || !(p = calloc(1, sizeof(*p))))
		return;
	*p = (struct port){ .owner = all, .index = l->index, .retry_ms = RETRY_FIRST_MS };
	memcpy(p->name, l->name, sizeof(p->name));
	all->items[all->count++] = p;
	log_info("%s: wired link, %02x:%02x:%02x:%02x:%02x:%02x", p->name, l->mac[0], l->mac[1],
		 l->mac[2], l->mac[3], l->mac[4], l->mac[5]);
	tell_state(p, LINK_NO_CARRIER);
	/* The host forwards for its containers; without the 2 it would then ignore routers'
	 * advertisements (Documentation/networking/ip-sysctl.rst). */
	put_sysctl(p, "accept_ra", "2");
	if (netlink_link_change(all->nl, l->index, &up, &e) < 0)
		log_error("%s: %s", p->name, e.text);
}

static void remove_port(struct ports *all, size_t i)
{
	struct port *p = all->items[i];

	log_warn("%s: the link is gone", p->name);
	stop_client(p);
	state_remove(NETUP_RUN, p->name, NULL);
	all->items[i] = all->items[--all->count];
	free(p);
}

/* A cable that comes back may lead elsewhere: the client asks whether its lease still holds. */
static void see_carrier(struct port *p, bool carrier)
{
	if (carrier == p->carrier)
		return;
	p->carrier = carrier;
	if (!carrier) {
		log_warn("%s: no carrier (is the cable in?)", p->name);
		return;
	}
	if (p->client.pid)
		kill(p->client.pid, SIGUSR1);
	else if (!p->retry)
		start_client(p);
}

static size_t find_port(const struct ports *all, int index)
{
	size_t i = 0;

	while (i < all->count && all->items[i]->index != index)
		i++;
	return i;
}

void ports_see(const struct netlink_link *l, void *ports)
{
	struct ports *all = ports;
	size_t i = find_port(all, l->index);
	bool wanted = is_wanted(all, l);

	/* A link of another name is another link: the client holds on to names. */
	if (i < all->count && (!wanted || strcmp(all->items[i]->name, l->name) != 0)) {
		remove_port(all, i);
		i = all->count;
	}
	if (!wanted)
		return;
	if (i == all->count)
		add_port(all, l);
	if (i < all->count)
		see_carrier(all->items[i], l->carrier && (l->flags & IFF_UP));
}

int ports_new(struct loop *loop, struct netlink *nl, char *const *only, struct ports **out,
	      struct err *e)
{
	struct ports *p = calloc(1, sizeof(*p));

	if (!p)
		return err_sys(e, "cannot keep track of the network links");
	p->loop = loop;
	p->nl = nl;
	p->only = only;
	*out = p;
	return 0;
}

size_t ports_count(const struct ports *p)
{
	return p->count;
}

void ports_free(struct ports *p)
{
	for (size_t i = 0; p && i < p->count; i++) {
		stop_client(p->items[i]);
		free(p->items[i]);
	}
	free(p);
}
