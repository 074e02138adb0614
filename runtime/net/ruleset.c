#include "net/ruleset.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/nft.h"

static const struct {
	const char *name;
	uint8_t number; /* IANA's protocol number */
} protocols[PROTOCOL_COUNT] = {
	[PROTOCOL_TCP] = { "tcp", IPPROTO_TCP },
	[PROTOCOL_UDP] = { "udp", IPPROTO_UDP },
	[PROTOCOL_SCTP] = { "sctp", IPPROTO_SCTP },
};

/* Priorities as iptables and nft name them (kernel: enum nf_ip_hook_priorities). */
enum { RAW = -300, DSTNAT = -100, FILTER = 0, SRCNAT = 100 };

static const uint32_t loopback_network = 127U << 24;
static const uint32_t metadata_service = 0xa9fea9fe; /* 169.254.169.254 of every cloud */

const char *protocol_name(enum protocol p)
{
	return protocols[p].name;
}

int protocol_parse(const char *name, enum protocol *out)
{
	if (!name || !*name)
		name = "tcp";
	for (int i = 0; i < PROTOCOL_COUNT; i++) {
		if (!strcmp(name, protocols[i].name)) {
			*out = (enum protocol)i;
			return 0;
		}
	}
	return -EINVAL;
}

static void add_published_rule(struct nft *n, const struct publish *p, uint16_t first,
			       uint16_t last)
{
	uint16_t to_first = (uint16_t)(p->to_first + (first - p->first));

	nft_rule(n);
	nft_match_ipv4(n);
	if (p->host_ip)
		nft_match_address(n, NFT_DESTINATION, true, p->host_ip, 32);
	nft_match_protocol(n, protocols[p->protocol].number);
	nft_match_port(n, first, last);
	nft_do_dnat(n, p->to_ip, to_first == first ? 0 : to_first);
	nft_rule_end(n);
}

/* Without a port dnat keeps the one that the packet has, so a range that is not shifted is one
 * rule. There is no "same distance" for a shifted one: that is a rule per port. */
static void add_published(struct nft *n, const struct publish *p)
{
	if (p->first == p->to_first) {
		add_published_rule(n, p, p->first, p->last);
		return;
	}
	for (unsigned port = p->first; port <= p->last; port++)
		add_published_rule(n, p, (uint16_t)port, (uint16_t)port);
}

static void add_jump_if_local(struct nft *n)
{
	nft_rule(n);
	nft_match_local(n);
	nft_do_jump(n, "published");
	nft_rule_end(n);
}

static void add_masquerade_out(struct nft *n, const struct rule_network *r)
{
	nft_rule(n);
	nft_match_ipv4(n);
	nft_match_address(n, NFT_SOURCE, true, r->subnet.network, r->subnet.prefix);
	nft_match_link(n, NFT_LINK_OUT, false, r->bridge);
	nft_do_masquerade(n);
	nft_rule_end(n);
}

/* A container that reaches a published port of its own network: the answer must come back here. */
static void add_masquerade_hairpin(struct nft *n, const struct rule_network *r)
{
	nft_rule(n);
	nft_match_ipv4(n);
	nft_match_address(n, NFT_SOURCE, true, r->subnet.network, r->subnet.prefix);
	nft_match_link(n, NFT_LINK_OUT, true, r->bridge);
	nft_match_dnat(n);
	nft_do_masquerade(n);
	nft_rule_end(n);
}

static void add_masquerade_loopback(struct nft *n, const struct rule_network *r)
{
	nft_rule(n);
	nft_match_ipv4(n);
	nft_match_address(n, NFT_SOURCE, true, loopback_network, 8);
	nft_match_link(n, NFT_LINK_OUT, true, r->bridge);
	nft_do_masquerade(n);
	nft_rule_end(n);
}

static void add_nat(struct nft *n, const struct ruleset *r)
{
	nft_chain(n, "published", NULL, 0, 0, NFT_TO_ACCEPT);
	for (size_t i = 0; i < r->count; i++)
		add_published(n, &r->published[i]);
	nft_chain(n, "prerouting", "nat", NFT_PREROUTING, DSTNAT, NFT_TO_ACCEPT);
	add_jump_if_local(n);
	nft_chain(n, "output", "nat", NFT_OUTPUT, DSTNAT, NFT_TO_ACCEPT);
	add_jump_if_local(n);
	nft_chain(n, "postrouting", "nat", NFT_POSTROUTING, SRCNAT, NFT_TO_ACCEPT);
	for (size_t i = 0; i < r->network_count; i++) {
		add_masquerade_out(n, &r->networks[i]);
		add_masquerade_hairpin(n, &r->networks[i]);
		add_masquerade_loopback(n, &r->networks[i]);
	}
}

/* Before connection tracking and before dnat, which would hide the address. */
static void add_guard(struct nft *n, const struct ruleset *r)
{
	nft_chain(n, "guard", "filter", NFT_PREROUTING, RAW, NFT_TO_ACCEPT);
	nft_rule(n);
	nft_match_link(n, NFT_LINK_IN, false, "lo");
	nft_match_ipv4(n);
	nft_match_address(n, NFT_DESTINATION, true, loopback_network, 8);
	nft_do(n, NFT_TO_DROP);
	nft_rule_end(n);
	for (size_t i = 0; i < r->network_count; i++) {
		const struct rule_network *net = &r->networks[i];

		nft_rule(n);
		nft_match_link(n, NFT_LINK_IN, true, net->bridge);
		nft_match_ipv4(n);
		nft_match_address(n, NFT_SOURCE, false, 0, 32);
		nft_match_address(n, NFT_SOURCE, false, net->subnet.network, net->subnet.prefix);
		nft_do(n, NFT_TO_DROP);
		nft_rule_end(n);
	}
}

/* A rule "from or to this link [and MATCH]: VERDICT". */
static void add_link_rule(struct nft *n, enum nft_link which, const char *link,
			  void (*match)(struct nft *), enum nft_verdict what)
{
	nft_rule(n);
	nft_match_link(n, which, true, link);
	if (match)
		match(n);
	nft_do(n, what);
	nft_rule_end(n);
}

/* From the bridge back into it: who routes through the gateway, and hairpins. */
static void add_within(struct nft *n, const char *bridge)
{
	nft_rule(n);
	nft_match_link(n, NFT_LINK_IN, true, bridge);
	nft_match_link(n, NFT_LINK_OUT, true, bridge);
	nft_do(n, NFT_TO_ACCEPT);
	nft_rule_end(n);
}

static void add_no_metadata(struct nft *n, const char *bridge)
{
	nft_rule(n);
	nft_match_link(n, NFT_LINK_IN, true, bridge);
	nft_match_ipv4(n);
	nft_match_address(n, NFT_DESTINATION, true, metadata_service, 32);
	nft_do(n, NFT_TO_DROP);
	nft_rule_end(n);
}

/* In this order: who is shut in; then what may come in to the others, which ends with "nothing
 * else", and so between networks as well; then what may leave them. */
static void add_forward(struct nft *n, const struct ruleset *r)
{
	nft_chain(n, "forward", "filter", NFT_FORWARD, FILTER,
		  r->closed_forward ? NFT_TO_DROP : NFT_TO_ACCEPT);
	for (size_t i = 0; i < r->network_count; i++) {
		const struct rule_network *net = &r->networks[i];

		add_within(n, net->bridge);
		if (!net->metadata)
			add_no_metadata(n, net->bridge);
		if (!net->internal)
			continue;
		add_link_rule(n, NFT_LINK_IN, net->bridge, NULL, NFT_TO_DROP);
		add_link_rule(n, NFT_LINK_OUT, net->bridge, NULL, NFT_TO_DROP);
	}
	for (size_t i = 0; i < r->network_count; i++) {
		if (r->networks[i].internal)
			continue;
		add_link_rule(n, NFT_LINK_OUT, r->networks[i].bridge, nft_match_established,
			      NFT_TO_ACCEPT);
		add_link_rule(n, NFT_LINK_OUT, r->networks[i].bridge, nft_match_dnat, NFT_TO_ACCEPT);
		add_link_rule(n, NFT_LINK_OUT, r->networks[i].bridge, NULL, NFT_TO_DROP);
	}
	for (size_t i = 0; i < r->network_count; i++)
		if (!r->networks[i].internal)
			add_link_rule(n, NFT_LINK_IN, r->networks[i].bridge, NULL, NFT_TO_ACCEPT);
}

static void add_input(struct nft *n, const struct ruleset *r)
{
	static const uint8_t icmp[] = { IPPROTO_ICMP, IPPROTO_ICMPV6 };

	nft_chain(n, "from_containers", NULL, 0, 0, NFT_TO_ACCEPT);
	nft_rule(n);
	nft_match_established(n);
	nft_do(n, NFT_TO_ACCEPT);
	nft_rule_end(n);
	for (size_t i = 0; i < sizeof(icmp); i++) {
		nft_rule(n);
		nft_match_protocol(n, icmp[i]);
		nft_do(n, NFT_TO_ACCEPT);
		nft_rule_end(n);
	}
	nft_rule(n);
	nft_do_reject(n);
	nft_rule_end(n);
	nft_chain(n, "input", "filter", NFT_INPUT, FILTER, NFT_TO_ACCEPT);
	for (size_t i = 0; i < r->network_count; i++) {
		nft_rule(n);
		nft_match_link(n, NFT_LINK_IN, true, r->networks[i].bridge);
		nft_do_jump(n, "from_containers");
		nft_rule_end(n);
	}
}

int ruleset_apply(const struct ruleset *r, struct err *e)
{
	struct nft n;
	int rc;

	nft_begin(&n, "berth");
	add_nat(&n, r);
	add_guard(&n, r);
	add_forward(&n, r);
	add_input(&n, r);
	rc = nft_send(&n, e);
	nft_free(&n);
	return rc;
}

static void begin_packet(struct nft *n, enum nft_packet what)
{
	nft_rule(n);
	nft_match_packet(n, what);
}

static void end_drop(struct nft *n)
{
	nft_do(n, NFT_TO_DROP);
	nft_rule_end(n);
}

int ruleset_guard_wire(const char *link, const uint8_t mac[6], uint32_t ip, struct err *e)
{
	struct nft n;
	int rc;

	nft_begin_link(&n, "berth", link);
	nft_rule(&n);
	nft_match_mac(&n, false, mac);
	end_drop(&n);
	begin_packet(&n, NFT_PACKET_VLAN);
	end_drop(&n);
	/* 0.0.0.0: who asks whether an address is free, or for one. */
	begin_packet(&n, NFT_PACKET_ARP);
	nft_match_arp(&n, false, ip);
	nft_match_arp(&n, false, 0);
	end_drop(&n);
	begin_packet(&n, NFT_PACKET_IPV4);
	nft_match_address(&n, NFT_SOURCE, false, ip, 32);
	nft_match_address(&n, NFT_SOURCE, false, 0, 32);
	end_drop(&n);
	rc = nft_send(&n, e);
	nft_free(&n);
	return rc;
}

int ruleset_unguard_wire(const char *link, struct err *e)
{
	struct nft n;
	int rc;

	nft_begin_link_removal(&n, "berth", link);
	rc = nft_send(&n, e);
	nft_free(&n);
	return rc == -ENOENT ? 0 : rc;
}
