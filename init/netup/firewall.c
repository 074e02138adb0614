/* Who may connect to the host: the table "inet berth-host", replaced in one transaction whenever
 * it changes. It guards the links that are ours to see to, and no other: what comes from the
 * containers' bridges is the engine's business (runtime/net), and what is for a published port is
 * forwarded and never gets here. */
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/nft.h"
#include "netup/manager.h"

enum { FILTER = 0, SSH_PORT = 22, DHCP_CLIENT_PORT = 68, DHCP6_CLIENT_PORT = 546 };

static const char table[] = "berth-host";

static void allow_protocol(struct nft *n, uint8_t protocol)
{
	nft_rule(n);
	nft_match_protocol(n, protocol);
	nft_do(n, NFT_TO_ACCEPT);
	nft_rule_end(n);
}

/* `from` NULL: everybody. */
static void allow_port(struct nft *n, uint8_t protocol, uint16_t first, uint16_t last,
		       const struct netlink_addr *from)
{
	nft_rule(n);
	if (from)
		nft_match_network(n, NFT_SOURCE, from);
	nft_match_protocol(n, protocol);
	nft_match_port(n, first, last);
	nft_do(n, NFT_TO_ACCEPT);
	nft_rule_end(n);
}

static void allow_list(struct nft *n, uint8_t protocol, uint16_t first, uint16_t last,
		       yyjson_val *list)
{
	yyjson_val *v;
	size_t i, max;

	if (yyjson_arr_size(list) == 0)
		allow_port(n, protocol, first, last, NULL);
	yyjson_arr_foreach(list, i, max, v) {
		struct netlink_addr from;

		if (yyjson_is_str(v) && netlink_addr_parse(yyjson_get_str(v), &from) == 0)
			allow_port(n, protocol, first, last, &from);
	}
}

static uint8_t protocol_of(const char *name)
{
	return strcmp(name, "udp") == 0	 ? IPPROTO_UDP :
	       strcmp(name, "sctp") == 0 ? IPPROTO_SCTP : IPPROTO_TCP;
}

static void allow_configured(struct nft *n, yyjson_val *firewall)
{
	yyjson_val *one;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(firewall, "allow"), i, max, one) {
		yyjson_val *port = yyjson_obj_get(one, "port");
		int64_t first = plan_number(port, "first", 0), last = plan_number(port, "last", 0);

		if (first > 0 && last >= first && last <= 65535)
			allow_list(n, protocol_of(plan_text(port, "protocol")), (uint16_t)first,
				   (uint16_t)last, yyjson_obj_get(one, "from"));
	}
}

static void allow_api(struct nft *n, yyjson_val *api)
{
	int64_t port = plan_number(api, "port", 0);

	if (port > 0 && port <= 65535)
		allow_list(n, IPPROTO_TCP, (uint16_t)port, (uint16_t)port, yyjson_obj_get(api, "from"));
}

/* Whoever configures a tunnel's port wants to be called. */
static void allow_tunnels(struct nft *n, yyjson_val *links)
{
	yyjson_val *link;
	size_t i, max;

	yyjson_arr_foreach(links, i, max, link) {
		int64_t port = plan_number(link, "port", 0);

		if (plan_is(link, "wireguard") && port > 0 && port <= 65535)
			allow_port(n, IPPROTO_UDP, (uint16_t)port, (uint16_t)port, NULL);
	}
}

/* DHCP's answers may come as broadcasts, which belong to no connection. */
static void allow_dhcp(struct nft *n)
{
	struct netlink_addr neighbours;

	allow_port(n, IPPROTO_UDP, DHCP_CLIENT_PORT, DHCP_CLIENT_PORT, NULL);
	netlink_addr_parse("fe80::/10", &neighbours);
	allow_port(n, IPPROTO_UDP, DHCP6_CLIENT_PORT, DHCP6_CLIENT_PORT, &neighbours);
}

static void add_guard(struct nft *n, const struct manager *m)
{
	nft_chain(n, "guard", NULL, 0, 0, NFT_TO_ACCEPT);
	nft_rule(n);
	nft_match_established(n);
	nft_do(n, NFT_TO_ACCEPT);
	nft_rule_end(n);
	allow_protocol(n, IPPROTO_ICMP);
	allow_protocol(n, IPPROTO_ICMPV6);
	allow_dhcp(n);
	allow_list(n, IPPROTO_TCP, SSH_PORT, SSH_PORT, yyjson_obj_get(m->plan.firewall, "ssh_from"));
	allow_api(n, m->plan.api);
	allow_tunnels(n, m->plan.links);
	allow_configured(n, m->plan.firewall);
	nft_rule(n);
	nft_do_reject(n);
	nft_rule_end(n);
}

static void add_input(struct nft *n, const char *names)
{
	nft_chain(n, "input", "filter", NFT_INPUT, FILTER, NFT_TO_ACCEPT);
	for (const char *end; (end = strchr(names, ' ')); names = end + 1) {
		char name[IFNAMSIZ];

		snprintf(name, sizeof(name), "%.*s", (int)(end - names), names);
		nft_rule(n);
		nft_match_link(n, NFT_LINK_IN, true, name);
		nft_do_jump(n, "guard");
		nft_rule_end(n);
	}
}

/* What the rules follow from: the same again is not set again. */
static char *key_of(const struct manager *m)
{
	/* Of the API not all: its private key is none of our business. */
	yyjson_val *const from[] = { m->plan.firewall, yyjson_obj_get(m->plan.api, "port"),
				     yyjson_obj_get(m->plan.api, "from"), m->plan.links };
	struct buf key = { 0 };

	buf_adds(&key, buf_text(&m->guarded));
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		autofree char *text = yyjson_val_write(from[i], 0, NULL);

		buf_addf(&key, "|%s", text ? text : "");
	}
	return buf_take(&key);
}

void firewall_apply(struct manager *m)
{
	char *key = key_of(m);
	struct err e = { "" };
	struct nft n;
	int code;

	if (!key || (m->firewall_text && strcmp(m->firewall_text, key) == 0)) {
		free(key);
		return;
	}
	if (plan_bool(m->plan.firewall, "enabled", true)) {
		nft_begin(&n, table);
		add_guard(&n, m);
		add_input(&n, buf_text(&m->guarded));
	} else {
		nft_begin_removal(&n, table);
	}
	code = nft_send(&n, &e);
	nft_free(&n);
	/* Nobody is locked out, and nobody who is not kept out already: that is said. */
	if (code < 0) {
		log_error("%s: %s", m->firewall_text ? "the host keeps the firewall that it had" :
						       "the host has no firewall", e.text);
		m->unsettled = true;
	}
	free(code < 0 ? key : m->firewall_text);
	if (code == 0)
		m->firewall_text = key;
}
