/* Brings each link to the shape that its definition says: name, addresses of its own, members. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <net/if.h> /* before linux/if.h, which leaves out what is there */

#include <linux/if_bonding.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "netup/manager.h"
#include "netup/netup.h"
#include "netup/state.h"

/* ---- sysctls ---- */
static void put_sysctl(const char *family, const char *link, const char *name, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, link, name);
	file_put_at(AT_FDCWD, path, value, NULL);
}

/* Written before the link goes up: what the kernel does by itself then depends on them. */
static void put_ipv6(struct port *p, const struct manager *m)
{
	yyjson_val *plan = p->plan, *local = yyjson_obj_get(plan, "link-local");
	bool faulty = plan_bool(plan, "faulty", false);
	int64_t mtu = plan_number(plan, "ipv6-mtu", 0);
	char number[24];

	if (p->shaped == m->plan_number && p->shaped_member == (p->master != NULL))
		return;
	p->shaped = m->plan_number;
	p->shaped_member = p->master != NULL;
	put_sysctl("ipv6", p->is.name, "disable_ipv6", p->master ? "1" : "0");
	put_sysctl("ipv6", p->is.name, "addr_gen_mode",
		   local && yyjson_arr_size(local) == 0 && !faulty ? "1" : "0");
	/* The host forwards for its containers; without the 2 it would then ignore routers'
	 * advertisements (Documentation/networking/ip-sysctl.rst). */
	put_sysctl("ipv6", p->is.name, "accept_ra",
		   plan_bool(plan, "accept-ra", true) || faulty ? "2" : "0");
	put_sysctl("ipv6", p->is.name, "use_tempaddr",
		   plan_bool(plan, "ipv6-privacy", false) ? "2" : "0");
	snprintf(number, sizeof(number), "%lld", (long long)mtu);
	if (mtu)
		put_sysctl("ipv6", p->is.name, "mtu", number);
}

/* ---- one link ---- */
static void change(struct manager *m, struct port *p, const struct netlink_change *c)
{
	struct err e = { "" };

	if (netlink_link_change(m->nl, p->is.index, c, &e) < 0)
		port_problem(p, &e);
}

static void give_name(struct manager *m, struct port *p)
{
	const char *name = plan_text(p->plan, "set-name");
	struct netlink_change c = { .name = name };
	struct err e = { "" };

	if (!p->card || !*name || strcmp(name, p->is.name) == 0)
		return;
	if (port_by_name(m, name)) {
		err_set(&e, -EEXIST, "it cannot be named \"%s\": another link has the name", name);
		port_problem(p, &e);
		return;
	}
	client_drop(&p->dhcp4);
	client_drop(&p->dhcp6);
	if (netlink_link_change(m->nl, p->is.index, &c, &e) < 0) {
		port_problem(p, &e);
		return;
	}
	log_info("%s: is named %s now", p->is.name, name);
	state_remove(NETUP_RUN, p->is.name);
	snprintf(p->is.name, sizeof(p->is.name), "%s", name);
}

/* Some drivers take another address only while the link is down. */
static void give_mac(struct manager *m, struct port *p)
{
	struct netlink_change c = { 0 };
	uint8_t mac[6];
	struct err e = { "" };

	if (p->master || !plan_mac(p->plan, "macaddress", mac) || memcmp(mac, p->is.mac, 6) == 0)
		return;
	c.mac = mac;
	if (netlink_link_change(m->nl, p->is.index, &c, &e) == 0)
		return;
	change(m, p, &(struct netlink_change){ .down = true });
	p->is.flags &= ~(unsigned)IFF_UP;
	change(m, p, &c);
}

/* A card may not do the MTU that a lease tells it; it works with its own. */
static void give_mtu(struct manager *m, struct port *p)
{
	int64_t mtu = plan_number(p->plan, "mtu", 0);
	yyjson_val *overrides = plan_overrides(p->plan, AF_INET);

	if (!mtu && p->lease4.valid && plan_bool(overrides, "use-mtu", true))
		mtu = p->lease4.lease.mtu;
	if (mtu && (unsigned)mtu != p->is.mtu)
		change(m, p, &(struct netlink_change){ .mtu = (unsigned)mtu });
}

static void give_wake(struct port *p)
{
	struct ethtool_wolinfo wake = { .cmd = ETHTOOL_GWOL };
	struct ifreq request = { .ifr_data = (void *)&wake };
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool on = plan_bool(p->plan, "wakeonlan", false);
	struct err e = { "" };

	if (!p->card || !yyjson_obj_get(p->plan, "wakeonlan"))
		return;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", p->is.name);
	if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0 &&
	    !(wake.wolopts & WAKE_MAGIC) == !on)
		return;
	wake.cmd = ETHTOOL_SWOL;
	wake.wolopts = on ? WAKE_MAGIC : 0;
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0) {
		err_sys(&e, "the card does not do wake on LAN");
		port_problem(p, &e);
	}
}

/* ---- members ---- */
static void give_port_options(struct manager *m, struct port *p)
{
	yyjson_val *parameters = yyjson_obj_get(p->master, "parameters");
	const char *name = plan_text(p->plan, "name");
	int64_t cost = plan_number(yyjson_obj_get(parameters, "path-cost"), name, 0);
	int64_t priority = plan_number(yyjson_obj_get(parameters, "port-priority"), name, -1);
	struct netlink_option options[2];
	struct err e = { "" };
	size_t n = 0;

	if (cost)
		options[n++] = (struct netlink_option){ IFLA_BRPORT_COST, 0, 4, (uint64_t)cost };
	if (priority >= 0)
		options[n++] =
			(struct netlink_option){ IFLA_BRPORT_PRIORITY, 0, 2, (uint64_t)priority };
	if (n && netlink_port_set(m->nl, p->is.index, options, n, &e) < 0)
		port_problem(p, &e);
}

static void give_primary(struct manager *m, struct port *master, struct port *p)
{
	const char *primary = plan_text(yyjson_obj_get(p->master, "parameters"), "primary");
	struct netlink_option option = { IFLA_BOND_PRIMARY, 0, 4, (uint64_t)p->is.index };
	struct err e = { "" };

	if (*primary && strcmp(primary, plan_text(p->plan, "name")) == 0 &&
	    netlink_link_set(m->nl, master->is.index, "bond", &option, 1, &e) < 0)
		port_problem(master, &e);
}

/* A bond takes a link only while it is down, and brings it up by itself. */
static void give_master(struct manager *m, struct port *p)
{
	struct port *master = port_by_plan(m, p->master);
	int index = master ? master->is.index : 0;
	struct err e = { "" };

	if (p->is.master == index || (p->master && !master))
		return;
	if (p->is.master)
		change(m, p, &(struct netlink_change){ .master = -1 });
	if (!index)
		return;
	if (plan_is(p->master, "bond"))
		change(m, p, &(struct netlink_change){ .down = true });
	if (netlink_link_change(m->nl, p->is.index, &(struct netlink_change){ .master = index },
				&e) < 0) {
		port_problem(p, &e);
		return;
	}
	log_info("%s: is a member of %s now", p->is.name, master->is.name);
	if (plan_is(p->master, "bond")) {
		p->is.flags |= IFF_UP;
		give_primary(m, master, p);
	} else {
		give_port_options(m, p);
	}
}

static void go_up(struct manager *m, struct port *p)
{
	const char *mode = plan_text(p->plan, "activation-mode");
	bool up = p->is.flags & IFF_UP;

	if (strcmp(mode, "off") == 0 && up)
		change(m, p, &(struct netlink_change){ .down = true });
	else if (!*mode && !up)
		change(m, p, &(struct netlink_change){ .up = true });
}

void shape_links(struct manager *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct port *p = m->ports[i];

		give_name(m, p);
		put_ipv6(p, m);
		give_mac(m, p);
		if (p->plan)
			give_master(m, p);
		give_mtu(m, p);
		give_wake(p);
		go_up(m, p);
	}
}
