/* A change of the firewall as one nf_tables transaction over netlink (kernel:
 * include/uapi/linux/netfilter/nf_tables.h, net/netfilter/nfnetlink.c): all of it applies, or none.
 *
 * Put together in order: table, chains, rules of a chain; a rule is its matches, then what it does.
 * Appending cannot fail visibly; a batch that ran out of memory says so when it is sent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/netlink.h"

struct nlattr;

struct nft {
	const char *table;
	uint8_t family;          /* 0: inet */
	const char *chain;       /* that rules go to */
	struct buf bytes;        /* the messages */
	uint32_t sequence;
	char message[2048];      /* the one being written: a rule is a few hundred bytes */
	struct nlattr *list;     /* its expressions */
};

/* NF_INET_* */
enum nft_hook { NFT_PREROUTING, NFT_INPUT, NFT_FORWARD, NFT_OUTPUT, NFT_POSTROUTING };
enum nft_verdict { NFT_TO_DROP, NFT_TO_ACCEPT };
enum nft_address { NFT_SOURCE, NFT_DESTINATION };
enum nft_link { NFT_LINK_IN, NFT_LINK_OUT };

/* Starts a batch that replaces the table, whether or not it is there. */
void nft_begin(struct nft *n, const char *table);
/* Starts a batch that removes the table, whether or not it is there. */
void nft_begin_removal(struct nft *n, const char *table);
/* Starts a batch that gives the table, of family netdev, a new chain for what comes in by `link`.
 * Rules follow. */
void nft_begin_link(struct nft *n, const char *table, const char *link);
/* Starts a batch that removes that chain; -ENOENT if it is not there: up to Linux 6.15 it goes with
 * the link. */
void nft_begin_link_removal(struct nft *n, const char *table, const char *link);
void nft_free(struct nft *n);

/* Makes the chain, which the rules after it go to. `type` NULL: a chain that is jumped to. */
void nft_chain(struct nft *n, const char *name, const char *type, enum nft_hook hook,
	       int32_t priority, enum nft_verdict policy);

void nft_rule(struct nft *n);     /* begins a rule; nft_rule_end appends it */
void nft_rule_end(struct nft *n);

/* Matches. Addresses in host order; a prefix of 32 is one address. */
void nft_match_ipv4(struct nft *n);
void nft_match_address(struct nft *n, enum nft_address which, bool equal, uint32_t network,
		       unsigned prefix);
void nft_match_network(struct nft *n, enum nft_address which, const struct netlink_addr *network);
void nft_match_protocol(struct nft *n, uint8_t ip_protocol);
void nft_match_port(struct nft *n, uint16_t first, uint16_t last); /* destination, after protocol */
void nft_match_link(struct nft *n, enum nft_link which, bool equal, const char *name);
void nft_match_local(struct nft *n);                  /* the destination is an address of ours */
/* Of family netdev: what kind of packet, and who sends it. */
enum nft_packet { NFT_PACKET_IPV4 = 0x0800, NFT_PACKET_ARP = 0x0806, NFT_PACKET_VLAN = 0x8100 };
void nft_match_packet(struct nft *n, enum nft_packet what);
void nft_match_mac(struct nft *n, bool equal, const uint8_t mac[6]);
void nft_match_arp(struct nft *n, bool equal, uint32_t ip); /* sender's; after NFT_PACKET_ARP */

void nft_match_established(struct nft *n);            /* or related */
void nft_match_dnat(struct nft *n);                   /* the connection's destination was changed */

/* What the rule does. */
void nft_do(struct nft *n, enum nft_verdict verdict);
void nft_do_jump(struct nft *n, const char *chain);
void nft_do_dnat(struct nft *n, uint32_t ip, uint16_t port); /* port 0: the packet's own */
void nft_do_masquerade(struct nft *n);
void nft_do_reject(struct nft *n);                    /* "administratively prohibited" */

/* Sends the batch and waits for the kernel's word on it. 0 or -errno. */
int nft_send(struct nft *n, struct err *e);
