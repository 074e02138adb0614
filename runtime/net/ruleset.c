#include "net/ruleset.h"

#include <errno.h>
#include <string.h>

static const char *const names[PROTOCOL_COUNT] = {
	[PROTOCOL_TCP] = "tcp",
	[PROTOCOL_UDP] = "udp",
	[PROTOCOL_SCTP] = "sctp",
};

const char *protocol_name(enum protocol p)
{
	return names[p];
}

int protocol_parse(const char *name, enum protocol *out)
{
	if (!name || !*name)
		name = "tcp";
	for (int i = 0; i < PROTOCOL_COUNT; i++) {
		if (!strcmp(name, names[i])) {
			*out = (enum protocol)i;
			return 0;
		}
	}
	return -EINVAL;
}

static void add_rule(struct buf *out, const struct publish *p, uint16_t first, uint16_t last)
{
	uint16_t to_first = (uint16_t)(p->to_first + (first - p->first));
	char ip[IPV4_TEXT_MAX];

	buf_adds(out, "\t\t");
	if (p->host_ip)
		buf_addf(out, "ip daddr %s ", ipv4_text(p->host_ip, ip));
	else
		buf_adds(out, "meta nfproto ipv4 ");
	buf_addf(out, "%s dport %u", names[p->protocol], first);
	if (last != first)
		buf_addf(out, "-%u", last);
	buf_addf(out, " dnat ip to %s", ipv4_text(p->to_ip, ip));
	if (to_first != first)
		buf_addf(out, ":%u", to_first);
	buf_addc(out, '\n');
}

/* Without a port dnat keeps the one that the packet has, so a range that is not shifted is one
 * rule. nft has no "same distance" for a shifted one: that is a rule per port. */
static void add_published(struct buf *out, const struct publish *p)
{
	if (p->first == p->to_first) {
		add_rule(out, p, p->first, p->last);
		return;
	}
	for (unsigned port = p->first; port <= p->last; port++)
		add_rule(out, p, (uint16_t)port, (uint16_t)port);
}

static void add_nat(const struct ruleset *r, struct buf *out)
{
	char net[SUBNET_TEXT_MAX];

	buf_adds(out,
		 "\tchain published {\n");
	for (size_t i = 0; i < r->count; i++)
		add_published(out, &r->published[i]);
	buf_adds(out,
		 "\t}\n"
		 "\tchain prerouting {\n"
		 "\t\ttype nat hook prerouting priority -100; policy accept;\n"
		 "\t\tfib daddr type local jump published\n"
		 "\t}\n"
		 "\tchain output {\n"
		 "\t\ttype nat hook output priority -100; policy accept;\n"
		 "\t\tfib daddr type local jump published\n"
		 "\t}\n");
	subnet_text(r->subnet, net);
	buf_addf(out,
		 "\tchain postrouting {\n"
		 "\t\ttype nat hook postrouting priority 100; policy accept;\n"
		 "\t\tip saddr %s oifname != \"%s\" masquerade\n"
		 "\t\tip saddr %s oifname \"%s\" ct status dnat masquerade\n"
		 "\t\tip saddr 127.0.0.0/8 oifname \"%s\" masquerade\n"
		 "\t}\n",
		 net, r->bridge, net, r->bridge, r->bridge);
}

static void add_filter(const struct ruleset *r, struct buf *out)
{
	char net[SUBNET_TEXT_MAX];

	/* -300: before connection tracking and before dnat, which would hide the address. */
	buf_addf(out,
		 "\tchain guard {\n"
		 "\t\ttype filter hook prerouting priority -300; policy accept;\n"
		 "\t\tiifname != \"lo\" ip daddr 127.0.0.0/8 drop\n"
		 "\t\tiifname \"%s\" ip saddr != { 0.0.0.0, %s } drop\n"
		 "\t}\n",
		 r->bridge, subnet_text(r->subnet, net));
	buf_addf(out,
		 "\tchain forward {\n"
		 "\t\ttype filter hook forward priority 0; policy %s;\n"
		 "\t\tiifname \"%s\" accept\n"
		 "\t\toifname \"%s\" ct state established,related accept\n"
		 "\t\toifname \"%s\" ct status dnat accept\n"
		 "\t\toifname \"%s\" drop\n"
		 "\t}\n",
		 r->closed_forward ? "drop" : "accept", r->bridge, r->bridge, r->bridge, r->bridge);
	buf_addf(out,
		 "\tchain input {\n"
		 "\t\ttype filter hook input priority 0; policy accept;\n"
		 "\t\tiifname != \"%s\" accept\n"
		 "\t\tct state established,related accept\n"
		 "\t\tmeta l4proto { icmp, ipv6-icmp } accept\n"
		 "\t\treject with icmpx type admin-prohibited\n"
		 "\t}\n",
		 r->bridge);
}

void ruleset_text(const struct ruleset *r, struct buf *out)
{
	/* Naming the table first makes "delete" work whether or not it was there. */
	buf_adds(out, "table inet berth\ndelete table inet berth\ntable inet berth {\n");
	add_nat(r, out);
	add_filter(r, out);
	buf_adds(out, "}\n");
}
