/* A WireGuard link's keys and peers, over generic netlink (linux/wireguard.h). */
#pragma once

#include <netinet/in.h>

#include "base/err.h"
#include "base/netlink.h"

enum { WIREGUARD_KEY_BYTES = 32 };

struct wireguard_peer {
	uint8_t public_key[WIREGUARD_KEY_BYTES];
	uint8_t shared_key[WIREGUARD_KEY_BYTES]; /* zeros: none */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} endpoint;                              /* family 0: not known */
	uint16_t keepalive_s;
	const struct netlink_addr *allowed;
	size_t allowed_count;                    /* 64 at most */
};

struct wireguard {
	uint8_t private_key[WIREGUARD_KEY_BYTES];
	uint16_t port; /* 0: any */
	uint32_t mark;
	const struct wireguard_peer *peers;
	size_t peer_count;
};

/* Makes the link's settings these and no others. 0 or -errno. */
int wireguard_set(const char *link, const struct wireguard *w, struct err *e);
