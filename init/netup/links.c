/* Which links there are, and what the plan says of each. */
#include <limits.h>
#include <net/if.h> /* before linux/if.h, which leaves out what is there */

#include <linux/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "netup/manager.h"
#include "netup/netup.h"
#include "netup/state.h"

static bool has_entry(const char *link, const char *entry)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", link, entry);
	return access(path, F_OK) == 0;
}

static bool is_named(char *const *names, const struct netlink_link *l, const struct port *p)
{
	for (; *names; names++)
		if (strcmp(*names, l->name) == 0 || (p && strcmp(*names, p->first_name) == 0))
			return true;
	return false;
}

/* Ethernet, with a device behind it, and no radio. */
bool links_is_card(const struct manager *m, const struct netlink_link *l)
{
	if (!lease_is_link_name(l->name) || l->gone)
		return false;
	if (m->only)
		return is_named(m->only, l, port_by_index(m, l->index));
	return l->hw_type == ARPHRD_ETHER && !l->kind[0] && has_entry(l->name, "device") &&
	       !has_entry(l->name, "phy80211");
}

struct port *port_by_index(const struct manager *m, int index)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->ports[i]->is.index == index)
			return m->ports[i];
	return NULL;
}

struct port *port_by_name(const struct manager *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->ports[i]->is.name, name) == 0)
			return m->ports[i];
	return NULL;
}

struct port *port_by_plan(const struct manager *m, yyjson_val *plan)
{
	for (size_t i = 0; i < m->count; i++)
		if (plan && m->ports[i]->plan == plan)
			return m->ports[i];
	return NULL;
}

void port_problem(struct port *p, const struct err *e)
{
	if (!p->problem[0])
		snprintf(p->problem, sizeof(p->problem), "%s", e->text);
}

bool port_carries(const struct port *p)
{
	return !p->master && (p->plan || !p->is.master) &&
	       strcmp(plan_text(p->plan, "activation-mode"), "off") != 0;
}

static void read_driver(const char *link, char *out, size_t room)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", link);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	snprintf(out, room, "%s", slash ? slash + 1 : "");
}

/* ---- one round ---- */
static struct port *add_port(struct manager *m, const struct netlink_link *l, bool card)
{
	struct port *p = m->count < NETUP_LINKS_MAX ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	p->is = *l;
	p->card = card;
	memcpy(p->first_name, l->name, sizeof(p->first_name));
	m->ports[m->count++] = p;
	if (card)
		log_info("%s: wired link, %02x:%02x:%02x:%02x:%02x:%02x", l->name, l->own_mac[0],
			 l->own_mac[1], l->own_mac[2], l->own_mac[3], l->own_mac[4], l->own_mac[5]);
	return p;
}

void links_forget(struct manager *m, size_t i)
{
	struct port *p = m->ports[i];

	client_drop(&p->dhcp4);
	client_drop(&p->dhcp6);
	advert_free(&p->adverts);
	state_remove(NETUP_RUN, p->is.name);
	buf_free(&p->addresses);
	buf_free(&p->words);
	free(p->state_text);
	free(p);
	m->ports[i] = m->ports[--m->count];
}

static yyjson_val *definition_of(const struct manager *m, const struct port *p)
{
	struct card card = { .name = p->is.name, .first_name = p->first_name };

	if (!p->card)
		return plan_link(&m->plan, p->is.name);
	memcpy(card.mac, p->is.own_mac, sizeof(card.mac));
	read_driver(p->is.name, card.driver, sizeof(card.driver));
	return plan_card(&m->plan, &card);
}

static bool is_ours(const struct manager *m, const struct netlink_link *l, bool card)
{
	yyjson_val *plan;

	if (card)
		return true;
	if (strcmp(l->alias, NETUP_ALIAS) != 0)
		return false;
	plan = plan_link(&m->plan, l->name);
	return plan && !plan_is(plan, "ethernet");
}

bool manager_cares(const struct manager *m, const struct netlink_link *l)
{
	return port_by_index(m, l->index) || (l->name[0] && is_ours(m, l, links_is_card(m, l)));
}

/* Also those that are left alone: somebody may bring them up. And under the name that a link gets
 * in this very round. */
static void guard(struct manager *m, const struct port *p, const struct netlink_link *l)
{
	const char *next = p ? plan_text(p->plan, "set-name") : "";

	buf_addf(&m->guarded, "%s ", l->name);
	if (*next && strcmp(next, l->name) != 0)
		buf_addf(&m->guarded, "%s ", next);
}

static void see_link(const struct netlink_link *l, void *arg)
{
	struct manager *m = arg;
	struct port *p = port_by_index(m, l->index);
	bool card = links_is_card(m, l);

	if (!is_ours(m, l, card))
		return;
	if (!p)
		p = add_port(m, l, card);
	if (!p)
		return;
	/* The client holds on to names. */
	if (strcmp(p->is.name, l->name) != 0) {
		client_drop(&p->dhcp4);
		client_drop(&p->dhcp6);
		state_remove(NETUP_RUN, p->is.name);
	}
	p->is = *l;
	p->wanted = true;
	p->problem[0] = '\0';
	p->plan = definition_of(m, p);
	guard(m, p, l);
	p->master = p->plan ? plan_master(&m->plan, plan_text(p->plan, "name")) : NULL;
}

static void see_ipv6(const struct netlink_link *l, void *arg)
{
	struct port *p = port_by_index(arg, l->index);

	if (!p)
		return;
	p->is.asks_managed = l->asks_managed;
	p->is.asks_other = l->asks_other;
}

/* Whether a card is missing that the plan speaks of: then perhaps one that is there was meant. */
static bool is_card_missing(const struct manager *m)
{
	yyjson_val *link;
	size_t i, max;

	yyjson_arr_foreach(m->plan.links, i, max, link) {
		if (plan_is(link, "ethernet") && !plan_bool(link, "optional", false) &&
		    !yyjson_obj_get(link, "activation-mode") && !port_by_plan(m, link))
			return true;
	}
	return false;
}

/* A card that no definition speaks of is left alone, as netplan does it, but only if the plan is
 * whole: a mistake in it must not cost the machine its network. */
static void drop_unclaimed(struct manager *m)
{
	bool keep = !m->plan.links || m->plan.faulty || is_card_missing(m);

	for (size_t i = 0; i < m->count;) {
		struct port *p = m->ports[i];

		if (!p->wanted || (!p->plan && (!keep || p->is.master)))
			links_forget(m, i);
		else
			i++;
	}
}

int links_look(struct manager *m)
{
	struct err e = { "" };
	int code;

	for (size_t i = 0; i < m->count; i++)
		m->ports[i]->wanted = false;
	buf_reset(&m->guarded);
	code = netlink_links(m->list, see_link, m, &e);
	if (code == 0)
		code = netlink_links_ipv6(m->list, see_ipv6, m, &e);
	if (code < 0) {
		log_error("%s", e.text);
		m->unsettled = true;
		return code;
	}
	drop_unclaimed(m);
	return 0;
}
