/* IPv4 subnets and the addresses of one: which subnet to take, which address is free. Pure
 * arithmetic over host-order integers; the truth is in the containers' records, from which the
 * bitmap is built again at every start of the engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct subnet {
	uint32_t network; /* host order, host bits zero */
	unsigned prefix;
};

enum { IPV4_TEXT_MAX = 16, SUBNET_TEXT_MAX = 20 };

char *ipv4_text(uint32_t ip, char out[IPV4_TEXT_MAX]);
char *subnet_text(struct subnet s, char out[SUBNET_TEXT_MAX]);
int ipv4_parse(const char *text, uint32_t *ip); /* 0 or -EINVAL */

bool subnet_overlaps(struct subnet a, struct subnet b);
bool subnet_holds(struct subnet s, uint32_t ip);

/* Reads routes in the form of /proc/net/route; the default route and those of the link `except`
 * (may be NULL) are left out. Returns how many were stored, at most `max`. */
size_t subnets_from_routes(const char *text, const char *except, struct subnet *out, size_t max);

/* The first of docker's default pools (172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 ...)
 * that overlaps none of `taken`. 0 or -EADDRINUSE. */
int subnet_choose(const struct subnet *taken, size_t count, struct subnet *out);

/* "10.1.0.0/16"; bits of the host may be set and are dropped. 0 or -EINVAL. */
int subnet_parse(const char *text, struct subnet *out);

struct pool {
	struct subnet subnet;
	struct subnet range; /* pool_take gives from this part only */
	uint32_t gateway;
	uint32_t size;       /* addresses, the reserved ones included */
	uint64_t *used;      /* a bit each */
};

/* Network, gateway (0: the first address) and broadcast are never given out. -EINVAL: no subnet of
 * /8 to /30, or the gateway is not in it. */
int pool_init(struct pool *p, struct subnet s, uint32_t gateway);
void pool_free(struct pool *p);
uint32_t pool_gateway(const struct pool *p);

int pool_take(struct pool *p, uint32_t *ip);            /* the lowest free one, or -ENOSPC */
int pool_claim(struct pool *p, uint32_t ip);            /* 0, -EADDRINUSE or -ERANGE */
void pool_release(struct pool *p, uint32_t ip);
