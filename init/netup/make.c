/* Links that the plan makes: bonds, bridges, VLANs, tunnels, dummies. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h> /* before linux/if.h, which leaves out what is there */

#include <linux/if_bonding.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "netup/manager.h"
#include "netup/netup.h"
#include "netup/tunnel.h"

enum { OPTIONS_MAX = 48 };

/* ---- parameters: netplan's names to the kernel's attributes ---- */
enum value { VALUE_NUMBER, VALUE_SECONDS, VALUE_CENTISECONDS, VALUE_BOOL, VALUE_WORD };

struct parameter {
	const char *key;
	uint16_t type;
	uint8_t size;
	enum value value;
	const char *const *words; /* in the order of the kernel's numbers */
};

static const char *const modes[] = {
	"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb",
	"balance-alb", NULL,
};
static const char *const rates[] = { "slow", "fast", NULL };
static const char *const policies[] = {
	"layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac", NULL,
};
static const char *const selects[] = { "stable", "bandwidth", "count", NULL };
static const char *const validates[] = { "none", "active", "backup", "all", NULL };
static const char *const targets[] = { "any", "all", NULL };
static const char *const macs[] = { "none", "active", "follow", NULL };
static const char *const reselects[] = { "always", "better", "failure", NULL };

/* The mode first: the kernel takes others only where they fit it. */
static const struct parameter bond_parameters[] = {
	{ "mode", IFLA_BOND_MODE, 1, VALUE_WORD, modes },
	{ "mii-monitor-interval", IFLA_BOND_MIIMON, 4, VALUE_NUMBER, NULL },
	{ "up-delay", IFLA_BOND_UPDELAY, 4, VALUE_NUMBER, NULL },
	{ "down-delay", IFLA_BOND_DOWNDELAY, 4, VALUE_NUMBER, NULL },
	{ "arp-interval", IFLA_BOND_ARP_INTERVAL, 4, VALUE_NUMBER, NULL },
	{ "arp-validate", IFLA_BOND_ARP_VALIDATE, 4, VALUE_WORD, validates },
	{ "arp-all-targets", IFLA_BOND_ARP_ALL_TARGETS, 4, VALUE_WORD, targets },
	{ "lacp-rate", IFLA_BOND_AD_LACP_RATE, 1, VALUE_WORD, rates },
	{ "ad-select", IFLA_BOND_AD_SELECT, 1, VALUE_WORD, selects },
	{ "transmit-hash-policy", IFLA_BOND_XMIT_HASH_POLICY, 1, VALUE_WORD, policies },
	{ "min-links", IFLA_BOND_MIN_LINKS, 4, VALUE_NUMBER, NULL },
	{ "all-slaves-active", IFLA_BOND_ALL_SLAVES_ACTIVE, 1, VALUE_BOOL, NULL },
	{ "fail-over-mac-policy", IFLA_BOND_FAIL_OVER_MAC, 1, VALUE_WORD, macs },
	{ "gratuitous-arp", IFLA_BOND_NUM_PEER_NOTIF, 1, VALUE_NUMBER, NULL },
	{ "packets-per-slave", IFLA_BOND_PACKETS_PER_SLAVE, 4, VALUE_NUMBER, NULL },
	{ "primary-reselect-policy", IFLA_BOND_PRIMARY_RESELECT, 1, VALUE_WORD, reselects },
	{ "resend-igmp", IFLA_BOND_RESEND_IGMP, 4, VALUE_NUMBER, NULL },
	{ "learn-packet-interval", IFLA_BOND_LP_INTERVAL, 4, VALUE_SECONDS, NULL },
};
static const struct parameter bridge_parameters[] = {
	{ "stp", IFLA_BR_STP_STATE, 4, VALUE_BOOL, NULL },
	{ "priority", IFLA_BR_PRIORITY, 2, VALUE_NUMBER, NULL },
	{ "forward-delay", IFLA_BR_FORWARD_DELAY, 4, VALUE_CENTISECONDS, NULL },
	{ "hello-time", IFLA_BR_HELLO_TIME, 4, VALUE_CENTISECONDS, NULL },
	{ "max-age", IFLA_BR_MAX_AGE, 4, VALUE_CENTISECONDS, NULL },
	{ "ageing-time", IFLA_BR_AGEING_TIME, 4, VALUE_CENTISECONDS, NULL },
};

struct options {
	struct netlink_option items[OPTIONS_MAX];
	size_t count;
};

static void add(struct options *o, uint16_t type, uint8_t size, uint64_t value)
{
	if (o->count < OPTIONS_MAX)
		o->items[o->count++] =
			(struct netlink_option){ .type = type, .size = size, .value = value };
}

static bool value_of(const struct parameter *p, yyjson_val *v, uint64_t *out)
{
	int64_t number = yyjson_get_sint(v);

	switch (p->value) {
	case VALUE_BOOL:
		*out = yyjson_get_bool(v);
		return yyjson_is_bool(v);
	case VALUE_WORD:
		for (uint64_t i = 0; p->words[i]; i++)
			if (yyjson_equals_str(v, p->words[i])) {
				*out = i;
				return true;
			}
		return false;
	default:
		*out = (uint64_t)(p->value == VALUE_SECONDS	 ? number / 1000 :
				  p->value == VALUE_CENTISECONDS ? number / 10 : number);
		return yyjson_is_int(v) && number >= 0;
	}
}

static void add_table(struct options *o, const struct parameter *table, size_t count,
		      yyjson_val *parameters)
{
	uint64_t value;

	for (size_t i = 0; i < count; i++) {
		yyjson_val *v = yyjson_obj_get(parameters, table[i].key);

		if (v && value_of(&table[i], v, &value))
			add(o, table[i].type, table[i].size, value);
	}
}

static void add_arp_targets(struct options *o, yyjson_val *parameters)
{
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(parameters, "arp-ip-targets"), i, max, v) {
		struct netlink_addr a;
		uint32_t ip;

		if (!yyjson_is_str(v) || netlink_addr_parse(yyjson_get_str(v), &a) < 0 ||
		    a.family != AF_INET || i >= 16)
			continue;
		memcpy(&ip, a.bytes, sizeof(ip));
		add(o, (uint16_t)i, sizeof(ip), ip);
		o->items[o->count - 1].nest = IFLA_BOND_ARP_IP_TARGET;
	}
}

/* A bond of which the mode is not known works best with any switch as active-backup. One that
 * looks at no carriers loses packets. */
static void bond_options(yyjson_val *link, struct options *o)
{
	yyjson_val *parameters = yyjson_obj_get(link, "parameters");

	if (!yyjson_obj_get(parameters, "mode") && plan_bool(link, "faulty", false))
		add(o, IFLA_BOND_MODE, 1, BOND_MODE_ACTIVEBACKUP);
	if (!yyjson_obj_get(parameters, "mii-monitor-interval") &&
	    !plan_number(parameters, "arp-interval", 0))
		add(o, IFLA_BOND_MIIMON, 4, 100);
	add_table(o, bond_parameters, ARRAY_LEN(bond_parameters), parameters);
	add_arp_targets(o, parameters);
}

/* netplan's default is a spanning tree, the kernel's is none. */
static void bridge_options(yyjson_val *link, struct options *o)
{
	yyjson_val *parameters = yyjson_obj_get(link, "parameters");

	if (!yyjson_obj_get(parameters, "stp"))
		add(o, IFLA_BR_STP_STATE, 4, 1);
	add_table(o, bridge_parameters, ARRAY_LEN(bridge_parameters), parameters);
}

static void vlan_options(yyjson_val *link, struct options *o)
{
	add(o, IFLA_VLAN_ID, 2, (uint64_t)plan_number(link, "id", 0));
}

static void no_options(yyjson_val *link, struct options *o)
{
	(void)link, (void)o;
}

static const struct {
	const char *kind;
	void (*options)(yyjson_val *link, struct options *o);
	int (*finish)(yyjson_val *link, struct err *e); /* after it was made; may be NULL */
} kinds[] = {
	{ "bond", bond_options, NULL },       { "bridge", bridge_options, NULL },
	{ "vlan", vlan_options, NULL },       { "dummy", no_options, NULL },
	{ "wireguard", no_options, tunnel_set },
};

/* ---- how a link was made: a change of it means making it anew ---- */
static char *recipe(yyjson_val *link, int lower)
{
	static const char *const keys[] = { "kind", "id", "parameters", "key", "port", "mark", "peers" };
	autobuf struct buf b = { 0 };

	buf_addf(&b, "%d", lower);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char *json = yyjson_val_write(yyjson_obj_get(link, keys[i]), 0, NULL);

		buf_addf(&b, " %s", json ? json : "-");
		free(json);
	}
	return buf_take(&b);
}

static const char *made_line(const struct manager *m, const char *name)
{
	size_t len = strlen(name);
	const char *line = buf_text(&m->made);

	for (; *line; line = strchr(line, '\n') + 1)
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return line + len + 1;
	return NULL;
}

static void forget_made(struct manager *m, const char *name)
{
	autobuf struct buf kept = { 0 };
	size_t len = strlen(name);

	for (const char *line = buf_text(&m->made), *end; (end = strchr(line, '\n')); line = end + 1)
		if (strncmp(line, name, len) != 0 || line[len] != ' ')
			buf_add(&kept, line, (size_t)(end + 1 - line));
	buf_reset(&m->made);
	buf_adds(&m->made, buf_text(&kept));
}

/* ---- make and remove ---- */
struct stray {
	struct manager *m;
	struct netlink_link found[NETUP_LINKS_MAX];
	size_t count;
};

/* 0: nothing carries it; -1: what carries it is not there (yet). */
static int lower_of(const struct manager *m, yyjson_val *link)
{
	const char *name = plan_text(link, "link");
	struct port *p;

	if (!*name)
		return 0;
	p = port_by_plan(m, plan_link(&m->plan, name));
	return p ? p->is.index : -1;
}

/* The kernel makes a bond0 by itself, with options that are not ours; and it takes the mark only
 * of a link that is there, so one without may be one that this program was interrupted over. */
static bool remove_unmarked(struct manager *m, const struct netlink_make *what)
{
	struct netlink_link there;

	return netlink_link_get(m->nl, what->name, &there, NULL) == 0 &&
	       strcmp(there.kind, what->kind) == 0 && !there.alias[0] &&
	       netlink_link_del(m->nl, there.index, NULL) == 0;
}

static int make(struct manager *m, yyjson_val *link, size_t kind, int lower, struct err *e)
{
	struct options o = { .count = 0 };
	struct netlink_make what = {
		.name = plan_text(link, "name"), .kind = kinds[kind].kind, .lower = lower,
		.options = o.items,
	};
	struct netlink_change mark = { .alias = NETUP_ALIAS };
	struct netlink_link made;
	uint8_t mac[6];
	int code;

	kinds[kind].options(link, &o);
	what.option_count = o.count;
	if (plan_mac(link, "macaddress", mac))
		what.mac = mac;
	code = netlink_link_make(m->nl, &what, e);
	if (code == -EEXIST && remove_unmarked(m, &what))
		code = netlink_link_make(m->nl, &what, e);
	if (code == 0)
		code = netlink_link_get(m->nl, what.name, &made, e);
	if (code == 0)
		code = netlink_link_change(m->nl, made.index, &mark, e);
	if (code < 0)
		return code;
	log_info("%s: %s made", what.name, what.kind);
	if (kinds[kind].finish)
		code = kinds[kind].finish(link, e);
	if (code < 0)
		log_error("%s", e->text);
	return 0;
}

/* Once, though it is tried again and again. */
static void tell_failure(struct manager *m, const char *name, const struct err *e)
{
	const char *before = made_line(m, name);
	size_t len = strlen(e->text);

	m->unsettled = true;
	if (before && strncmp(before, e->text, len) == 0 && before[len] == '\n')
		return;
	log_error("%s: %s", name, e->text);
	forget_made(m, name);
	buf_addf(&m->made, "%s %s\n", name, e->text);
}

static bool make_one(struct manager *m, yyjson_val *link)
{
	const char *name = plan_text(link, "name");
	int lower = lower_of(m, link);
	autofree char *how = NULL;
	struct err e = { "" };
	size_t kind = 0;

	while (kind < ARRAY_LEN(kinds) && !plan_is(link, kinds[kind].kind))
		kind++;
	if (kind == ARRAY_LEN(kinds) || lower < 0 || port_by_plan(m, link))
		return false;
	how = recipe(link, lower);
	if (make(m, link, kind, lower, &e) < 0) {
		tell_failure(m, name, &e);
		return false;
	}
	forget_made(m, name);
	buf_addf(&m->made, "%s %s\n", name, how ? how : "");
	return true;
}

static void note_stray(const struct netlink_link *l, void *arg)
{
	struct stray *s = arg;
	yyjson_val *link = plan_link(&s->m->plan, l->name);
	const char *was = made_line(s->m, l->name);
	autofree char *how = link ? recipe(link, lower_of(s->m, link)) : NULL;
	size_t len = how ? strlen(how) : 0;

	if (strcmp(l->alias, NETUP_ALIAS) != 0 || s->count == NETUP_LINKS_MAX)
		return;
	/* One from before a restart of this program is taken as it is. */
	if (how && was && (strncmp(was, how, len) != 0 || was[len] != '\n'))
		how[0] = '\0';
	if (how && !was)
		buf_addf(&s->m->made, "%s %s\n", l->name, how);
	if (!how || !how[0])
		s->found[s->count++] = *l;
}

static bool remove_strays(struct manager *m)
{
	struct stray *s = calloc(1, sizeof(*s));
	bool any = false;
	struct err e = { "" };

	if (!s)
		return false;
	s->m = m;
	if (netlink_links(m->list, note_stray, s, &e) < 0)
		log_error("%s", e.text);
	for (size_t i = 0; i < s->count; i++) {
		log_info("%s: %s removed", s->found[i].name, s->found[i].kind);
		forget_made(m, s->found[i].name);
		if (netlink_link_del(m->nl, s->found[i].index, &e) < 0)
			log_error("%s", e.text);
		any = true;
	}
	free(s);
	return any;
}

bool make_links(struct manager *m)
{
	bool any = remove_strays(m);
	yyjson_val *link;
	size_t i, max;

	if (any && links_look(m) < 0)
		return true;
	yyjson_arr_foreach(m->plan.links, i, max, link) {
		any |= make_one(m, link);
	}
	return any;
}
