#include "base/nft.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/nlmsg.h"

enum {
	REG_ADDRESS = NFT_REG_1, /* each register holds 16 bytes */
	REG_PORT = NFT_REG_2,
	IPV4_SOURCE_AT = 12,     /* in the IPv4 header (RFC 791) */
	IPV4_DESTINATION_AT = 16,
	IPV6_SOURCE_AT = 8,      /* in the IPv6 header (RFC 8200) */
	IPV6_DESTINATION_AT = 24,
	MAC_SOURCE_AT = 6,       /* in the Ethernet header */
	ARP_SENDER_AT = 14,      /* the address of IPv4 over Ethernet (RFC 826) */
	PORT_DESTINATION_AT = 2, /* alike in TCP, UDP and SCTP */
	LINK_NAME_BYTES = 16,    /* IFNAMSIZ */
};

/* ---- messages ---- */

static struct nlmsghdr *message_begin(struct nft *n, uint16_t type, uint16_t flags,
				      uint8_t family, uint16_t resource)
{
	struct nlmsghdr *message = nlmsg_begin(n->message);
	struct nfgenmsg *head;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++n->sequence;
	head = nlmsg_extend(message, sizeof(*head));
	head->nfgen_family = family;
	head->version = NFNETLINK_V0;
	head->res_id = htobe16(resource);
	return message;
}

static struct nlmsghdr *table_message(struct nft *n, uint16_t type, uint16_t flags)
{
	return message_begin(n, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags,
			     n->family ? n->family : NFPROTO_INET, 0);
}

static void message_end(struct nft *n)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)n->message;

	buf_add(&n->bytes, message, NLMSG_ALIGN(message->nlmsg_len));
}

static struct nlmsghdr *current(struct nft *n)
{
	return (struct nlmsghdr *)n->message;
}

/* nf_tables wants its numbers in network order. */
static void put_u32(struct nft *n, uint16_t type, uint32_t value)
{
	nlattr_put_u32(current(n), type, htobe32(value));
}

static struct nlattr *nest(struct nft *n, uint16_t type)
{
	return nlattr_nest(current(n), NLA_F_NESTED | type);
}

static void put_table(struct nft *n, uint16_t type, uint16_t flags)
{
	nlattr_put_text(table_message(n, type, flags), NFTA_TABLE_NAME, n->table);
	message_end(n);
}

void nft_begin_removal(struct nft *n, const char *table)
{
	*n = (struct nft){ .table = table };
	message_begin(n, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	message_end(n);
	/* Making it first lets the deletion work whether or not it was there; and the answer to
	 * this message, given when the whole batch has been committed, is the answer to all. */
	put_table(n, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK);
	put_table(n, NFT_MSG_DELTABLE, 0);
}

void nft_begin(struct nft *n, const char *table)
{
	nft_begin_removal(n, table);
	put_table(n, NFT_MSG_NEWTABLE, NLM_F_CREATE);
}

void nft_begin_link(struct nft *n, const char *table, const char *link)
{
	struct nlmsghdr *message;
	struct nlattr *hook;

	*n = (struct nft){ .table = table, .family = NFPROTO_NETDEV, .chain = link };
	message_begin(n, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	message_end(n);
	put_table(n, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK);
	message = table_message(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nlattr_put_text(message, NFTA_CHAIN_TABLE, table);
	nlattr_put_text(message, NFTA_CHAIN_NAME, link);
	hook = nest(n, NFTA_CHAIN_HOOK);
	put_u32(n, NFTA_HOOK_HOOKNUM, NF_NETDEV_INGRESS);
	put_u32(n, NFTA_HOOK_PRIORITY, 0);
	nlattr_put_text(message, NFTA_HOOK_DEV, link);
	nlattr_nest_end(message, hook);
	put_u32(n, NFTA_CHAIN_POLICY, NF_ACCEPT);
	nlattr_put_text(message, NFTA_CHAIN_TYPE, "filter");
	message_end(n);
	/* Those of a former link of this name. */
	message = table_message(n, NFT_MSG_DELRULE, 0);
	nlattr_put_text(message, NFTA_RULE_TABLE, table);
	nlattr_put_text(message, NFTA_RULE_CHAIN, link);
	message_end(n);
}

void nft_begin_link_removal(struct nft *n, const char *table, const char *link)
{
	struct nlmsghdr *message;

	*n = (struct nft){ .table = table, .family = NFPROTO_NETDEV };
	message_begin(n, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	message_end(n);
	put_table(n, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK);
	message = table_message(n, NFT_MSG_DELCHAIN, 0);
	nlattr_put_text(message, NFTA_CHAIN_TABLE, table);
	nlattr_put_text(message, NFTA_CHAIN_NAME, link);
	message_end(n);
}

void nft_free(struct nft *n)
{
	buf_free(&n->bytes);
}

static uint32_t verdict_code(enum nft_verdict v)
{
	return v == NFT_TO_ACCEPT ? NF_ACCEPT : NF_DROP;
}

void nft_chain(struct nft *n, const char *name, const char *type, enum nft_hook hook,
	       int32_t priority, enum nft_verdict policy)
{
	struct nlmsghdr *message = table_message(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *inner;

	n->chain = name;
	nlattr_put_text(message, NFTA_CHAIN_TABLE, n->table);
	nlattr_put_text(message, NFTA_CHAIN_NAME, name);
	if (type) {
		inner = nest(n, NFTA_CHAIN_HOOK);
		put_u32(n, NFTA_HOOK_HOOKNUM, hook);
		put_u32(n, NFTA_HOOK_PRIORITY, (uint32_t)priority);
		nlattr_nest_end(message, inner);
		put_u32(n, NFTA_CHAIN_POLICY, verdict_code(policy));
		nlattr_put_text(message, NFTA_CHAIN_TYPE, type);
	}
	message_end(n);
}

void nft_rule(struct nft *n)
{
	struct nlmsghdr *message = table_message(n, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	nlattr_put_text(message, NFTA_RULE_TABLE, n->table);
	nlattr_put_text(message, NFTA_RULE_CHAIN, n->chain);
	n->list = nest(n, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft *n)
{
	nlattr_nest_end(current(n), n->list);
	message_end(n);
}

/* ---- expressions ---- */

struct expression {
	struct nlattr *element, *data;
};

static struct expression expression_begin(struct nft *n, const char *name)
{
	struct expression x = { .element = nest(n, NFTA_LIST_ELEM) };

	nlattr_put_text(current(n), NFTA_EXPR_NAME, name);
	x.data = nest(n, NFTA_EXPR_DATA);
	return x;
}

static void expression_end(struct nft *n, struct expression x)
{
	nlattr_nest_end(current(n), x.data);
	nlattr_nest_end(current(n), x.element);
}

static void put_value(struct nft *n, uint16_t type, const void *value, size_t size)
{
	struct nlattr *inner = nest(n, type);

	nlattr_put(current(n), NFTA_DATA_VALUE, size, value);
	nlattr_nest_end(current(n), inner);
}

static void compare(struct nft *n, enum nft_cmp_ops how, const void *value, size_t size)
{
	struct expression x = expression_begin(n, "cmp");

	put_u32(n, NFTA_CMP_SREG, REG_ADDRESS);
	put_u32(n, NFTA_CMP_OP, how);
	put_value(n, NFTA_CMP_DATA, value, size);
	expression_end(n, x);
}

static void mask(struct nft *n, const void *bits, size_t size)
{
	static const unsigned char zero[16];
	struct expression x = expression_begin(n, "bitwise");

	put_u32(n, NFTA_BITWISE_SREG, REG_ADDRESS);
	put_u32(n, NFTA_BITWISE_DREG, REG_ADDRESS);
	put_u32(n, NFTA_BITWISE_LEN, (uint32_t)size);
	put_value(n, NFTA_BITWISE_MASK, bits, size);
	put_value(n, NFTA_BITWISE_XOR, zero, size);
	expression_end(n, x);
}

static void load_meta(struct nft *n, enum nft_meta_keys key)
{
	struct expression x = expression_begin(n, "meta");

	put_u32(n, NFTA_META_DREG, REG_ADDRESS);
	put_u32(n, NFTA_META_KEY, key);
	expression_end(n, x);
}

static void load_payload(struct nft *n, enum nft_payload_bases base, uint32_t at, uint32_t size)
{
	struct expression x = expression_begin(n, "payload");

	put_u32(n, NFTA_PAYLOAD_DREG, REG_ADDRESS);
	put_u32(n, NFTA_PAYLOAD_BASE, base);
	put_u32(n, NFTA_PAYLOAD_OFFSET, at);
	put_u32(n, NFTA_PAYLOAD_LEN, size);
	expression_end(n, x);
}

/* Some bit of `bits` is set in what conntrack says of the connection. */
static void match_conntrack(struct nft *n, enum nft_ct_keys key, uint32_t bits)
{
	struct expression x = expression_begin(n, "ct");
	uint32_t zero = 0;

	put_u32(n, NFTA_CT_DREG, REG_ADDRESS);
	put_u32(n, NFTA_CT_KEY, key);
	expression_end(n, x);
	mask(n, &bits, sizeof(bits));
	compare(n, NFT_CMP_NEQ, &zero, sizeof(zero));
}

static void load_constant(struct nft *n, uint32_t into, const void *value, size_t size)
{
	struct expression x = expression_begin(n, "immediate");

	put_u32(n, NFTA_IMMEDIATE_DREG, into);
	put_value(n, NFTA_IMMEDIATE_DATA, value, size);
	expression_end(n, x);
}

static void verdict(struct nft *n, uint32_t code, const char *chain)
{
	struct expression x = expression_begin(n, "immediate");
	struct nlattr *data, *inner;

	put_u32(n, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nest(n, NFTA_IMMEDIATE_DATA);
	inner = nest(n, NFTA_DATA_VERDICT);
	put_u32(n, NFTA_VERDICT_CODE, code);
	if (chain)
		nlattr_put_text(current(n), NFTA_VERDICT_CHAIN, chain);
	nlattr_nest_end(current(n), inner);
	nlattr_nest_end(current(n), data);
	expression_end(n, x);
}

/* ---- matches ---- */

void nft_match_ipv4(struct nft *n)
{
	uint8_t ipv4 = NFPROTO_IPV4;

	load_meta(n, NFT_META_NFPROTO);
	compare(n, NFT_CMP_EQ, &ipv4, sizeof(ipv4));
}

void nft_match_address(struct nft *n, enum nft_address which, bool equal, uint32_t network,
		       unsigned prefix)
{
	uint32_t address = htobe32(network), bits = htobe32(prefix ? ~0U << (32 - prefix) : 0);

	load_payload(n, NFT_PAYLOAD_NETWORK_HEADER,
		     which == NFT_SOURCE ? IPV4_SOURCE_AT : IPV4_DESTINATION_AT, sizeof(address));
	if (prefix < 32)
		mask(n, &bits, sizeof(bits));
	compare(n, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, &address, sizeof(address));
}

void nft_match_network(struct nft *n, enum nft_address which, const struct netlink_addr *network)
{
	bool ipv4 = network->family == AF_INET;
	uint8_t family = ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6, bits[16] = { 0 }, wanted[16];
	uint32_t at = ipv4 ? (which == NFT_SOURCE ? IPV4_SOURCE_AT : IPV4_DESTINATION_AT) :
			     (which == NFT_SOURCE ? IPV6_SOURCE_AT : IPV6_DESTINATION_AT);
	size_t size = ipv4 ? 4 : 16;

	load_meta(n, NFT_META_NFPROTO);
	compare(n, NFT_CMP_EQ, &family, sizeof(family));
	if (network->prefix == 0)
		return;
	for (unsigned bit = 0; bit < network->prefix && bit < size * 8; bit++)
		bits[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	for (size_t i = 0; i < size; i++)
		wanted[i] = network->bytes[i] & bits[i];
	load_payload(n, NFT_PAYLOAD_NETWORK_HEADER, at, (uint32_t)size);
	if (network->prefix < size * 8)
		mask(n, bits, size);
	compare(n, NFT_CMP_EQ, wanted, size);
}

void nft_match_packet(struct nft *n, enum nft_packet what)
{
	uint16_t type = htobe16((uint16_t)what);

	load_meta(n, NFT_META_PROTOCOL);
	compare(n, NFT_CMP_EQ, &type, sizeof(type));
}

void nft_match_mac(struct nft *n, bool equal, const uint8_t mac[6])
{
	load_payload(n, NFT_PAYLOAD_LL_HEADER, MAC_SOURCE_AT, 6);
	compare(n, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, mac, 6);
}

void nft_match_arp(struct nft *n, bool equal, uint32_t ip)
{
	uint32_t address = htobe32(ip);

	load_payload(n, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_AT, sizeof(address));
	compare(n, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, &address, sizeof(address));
}

void nft_match_protocol(struct nft *n, uint8_t ip_protocol)
{
	load_meta(n, NFT_META_L4PROTO);
	compare(n, NFT_CMP_EQ, &ip_protocol, sizeof(ip_protocol));
}

void nft_match_port(struct nft *n, uint16_t first, uint16_t last)
{
	uint16_t low = htobe16(first), high = htobe16(last);

	load_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, PORT_DESTINATION_AT, sizeof(low));
	if (first == last) {
		compare(n, NFT_CMP_EQ, &low, sizeof(low));
		return;
	}
	compare(n, NFT_CMP_GTE, &low, sizeof(low));
	compare(n, NFT_CMP_LTE, &high, sizeof(high));
}

void nft_match_link(struct nft *n, enum nft_link which, bool equal, const char *name)
{
	char padded[LINK_NAME_BYTES] = { 0 };

	memcpy(padded, name, strnlen(name, sizeof(padded) - 1));
	load_meta(n, which == NFT_LINK_IN ? NFT_META_IIFNAME : NFT_META_OIFNAME);
	compare(n, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, padded, sizeof(padded));
}

void nft_match_local(struct nft *n)
{
	struct expression x = expression_begin(n, "fib");
	uint32_t local = RTN_LOCAL;

	put_u32(n, NFTA_FIB_DREG, REG_ADDRESS);
	put_u32(n, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	put_u32(n, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	expression_end(n, x);
	compare(n, NFT_CMP_EQ, &local, sizeof(local));
}

void nft_match_established(struct nft *n)
{
	match_conntrack(n, NFT_CT_STATE,
			NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
}

void nft_match_dnat(struct nft *n)
{
	match_conntrack(n, NFT_CT_STATUS, IPS_DST_NAT);
}

/* ---- what a rule does ---- */

void nft_do(struct nft *n, enum nft_verdict v)
{
	verdict(n, verdict_code(v), NULL);
}

void nft_do_jump(struct nft *n, const char *chain)
{
	verdict(n, (uint32_t)NFT_JUMP, chain);
}

void nft_do_dnat(struct nft *n, uint32_t ip, uint16_t port)
{
	uint32_t address = htobe32(ip);
	uint16_t wire_port = htobe16(port);
	struct expression x;

	load_constant(n, REG_ADDRESS, &address, sizeof(address));
	if (port)
		load_constant(n, REG_PORT, &wire_port, sizeof(wire_port));
	x = expression_begin(n, "nat");
	put_u32(n, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	put_u32(n, NFTA_NAT_FAMILY, NFPROTO_IPV4);
	put_u32(n, NFTA_NAT_REG_ADDR_MIN, REG_ADDRESS);
	if (port)
		put_u32(n, NFTA_NAT_REG_PROTO_MIN, REG_PORT);
	expression_end(n, x);
}

void nft_do_masquerade(struct nft *n)
{
	expression_end(n, expression_begin(n, "masq"));
}

void nft_do_reject(struct nft *n)
{
	struct expression x = expression_begin(n, "reject");
	uint8_t code = NFT_REJECT_ICMPX_ADMIN_PROHIBITED;

	put_u32(n, NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	nlattr_put(current(n), NFTA_REJECT_ICMP_CODE, sizeof(code), &code);
	expression_end(n, x);
}

/* ---- sending ---- */

static int read_answer(int fd, uint32_t port)
{
	char answer[8192];
	bool said = false;
	ssize_t size;

	/* The kernel works within send(2): every answer is here by now. A refused message is
	 * answered before the table's own acknowledgement, or in place of it. */
	while ((size = nlmsg_receive(fd, answer, sizeof(answer))) > 0) {
		if (nlmsg_each(answer, (size_t)size, 0, port, NULL, NULL) == NLREAD_ERROR)
			return -errno;
		said = true;
	}
	return said ? 0 : size < 0 && errno != EAGAIN ? -errno : -EPROTO;
}

static int send_batch(int fd, uint32_t port, const struct buf *bytes)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int room = (int)(bytes->len * 2 + 65536);

	/* A batch is one datagram however many rules there are; without the right to force it the
	 * system's own limit stands and send says so. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (sendto(fd, bytes->data, bytes->len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return read_answer(fd, port);
}

int nft_send(struct nft *n, struct err *e)
{
	uint32_t port = 0;
	autoclose int fd = nlmsg_socket(NETLINK_NETFILTER, SOCK_NONBLOCK, 0, &port);
	int rc;

	message_begin(n, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	message_end(n);
	if (fd < 0)
		return err_sys(e, "set the firewall's rules: netlink socket");
	rc = buf_ok(&n->bytes) ? send_batch(fd, port, &n->bytes) : -ENOMEM;
	return rc < 0 ? err_code(e, rc, "set the firewall's rules") : 0;
}
