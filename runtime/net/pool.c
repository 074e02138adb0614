#include "net/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX_LEAST = 8, PREFIX_MOST = 30 };

char *ipv4_text(uint32_t ip, char out[IPV4_TEXT_MAX])
{
	snprintf(out, IPV4_TEXT_MAX, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
		 ip & 255);
	return out;
}

char *subnet_text(struct subnet s, char out[SUBNET_TEXT_MAX])
{
	char ip[IPV4_TEXT_MAX];

	snprintf(out, SUBNET_TEXT_MAX, "%s/%u", ipv4_text(s.network, ip), s.prefix & 63);
	return out;
}

int ipv4_parse(const char *text, uint32_t *ip)
{
	uint32_t value = 0;

	for (int part = 0; part < 4; part++) {
		unsigned long number;
		char *end;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		number = strtoul(text, &end, 10);
		if (number > 255 || end - text > 3 || *end != (part < 3 ? '.' : '\0'))
			return -EINVAL;
		value = value << 8 | (uint32_t)number;
		text = end + 1;
	}
	*ip = value;
	return 0;
}

static uint32_t mask(unsigned prefix)
{
	return prefix ? ~0U << (32 - prefix) : 0;
}

int subnet_parse(const char *text, struct subnet *out)
{
	const char *slash = strchr(text, '/');
	char ip[IPV4_TEXT_MAX];
	unsigned long prefix;
	char *end;
	uint32_t network;

	if (!slash || slash - text >= IPV4_TEXT_MAX || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	snprintf(ip, sizeof(ip), "%.*s", (int)(slash - text), text);
	prefix = strtoul(slash + 1, &end, 10);
	if (*end || prefix > 32 || ipv4_parse(ip, &network) < 0)
		return -EINVAL;
	*out = (struct subnet){ network & mask((unsigned)prefix), (unsigned)prefix };
	return 0;
}

bool subnet_overlaps(struct subnet a, struct subnet b)
{
	uint32_t common = mask(a.prefix < b.prefix ? a.prefix : b.prefix);

	return (a.network & common) == (b.network & common);
}

bool subnet_holds(struct subnet s, uint32_t ip)
{
	return (ip & mask(s.prefix)) == s.network;
}

size_t subnets_from_routes(const char *text, const char *except, struct subnet *out, size_t max)
{
	size_t count = 0;

	for (const char *line = strchr(text, '\n'); line && count < max; line = strchr(line, '\n')) {
		char link[32];
		unsigned int to, netmask;

		line++;
		/* Iface Destination Gateway Flags RefCnt Use Metric Mask ..., in network order. */
		if (sscanf(line, "%31s %x %*x %*x %*d %*d %*d %x", link, &to, &netmask) != 3)
			continue;
		if (!netmask || (except && !strcmp(link, except)))
			continue;
		netmask = __builtin_bswap32(netmask);
		out[count].prefix = (unsigned)__builtin_popcount(netmask);
		out[count++].network = __builtin_bswap32(to) & netmask;
	}
	return count;
}

int subnet_choose(const struct subnet *taken, size_t count, struct subnet *out)
{
	static const struct { uint32_t first, last; unsigned prefix; } pools[] = {
		{ 0xac110000, 0xac1f0000, 16 }, /* 172.17.0.0 to 172.31.0.0 */
		{ 0xc0a80000, 0xc0a8f000, 20 }, /* 192.168.0.0 to 192.168.240.0 */
	};

	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		uint32_t step = 1U << (32 - pools[i].prefix);

		for (uint32_t net = pools[i].first; net <= pools[i].last; net += step) {
			struct subnet s = { net, pools[i].prefix };
			size_t clash = 0;

			while (clash < count && !subnet_overlaps(s, taken[clash]))
				clash++;
			if (clash == count) {
				*out = s;
				return 0;
			}
		}
	}
	return -EADDRINUSE;
}

static bool bit(const struct pool *p, uint32_t i)
{
	return p->used[i / 64] >> (i % 64) & 1;
}

static void set_bit(struct pool *p, uint32_t i)
{
	p->used[i / 64] |= 1ULL << (i % 64);
}

static bool assignable(const struct pool *p, uint32_t ip)
{
	uint32_t i = ip - p->subnet.network;

	return subnet_holds(p->subnet, ip) && i > 0 && i + 1 < p->size;
}

int pool_init(struct pool *p, struct subnet s, uint32_t gateway)
{
	struct pool made = { .subnet = s, .range = s };

	if (s.prefix < PREFIX_LEAST || s.prefix > PREFIX_MOST || s.network & ~mask(s.prefix))
		return -EINVAL;
	made.size = 1U << (32 - s.prefix);
	made.gateway = gateway ? gateway : s.network + 1;
	if (!assignable(&made, made.gateway))
		return -EINVAL;
	made.used = calloc((made.size + 63) / 64, sizeof(*made.used));
	if (!made.used)
		return -ENOMEM;
	set_bit(&made, made.gateway - s.network);
	*p = made;
	return 0;
}

void pool_free(struct pool *p)
{
	free(p->used);
	*p = (struct pool){ 0 };
}

uint32_t pool_gateway(const struct pool *p)
{
	return p->gateway;
}

int pool_take(struct pool *p, uint32_t *ip)
{
	uint32_t first = p->range.network - p->subnet.network;
	uint32_t end = first + (1U << (32 - p->range.prefix));

	for (uint32_t i = first ? first : 1; i < end && i + 1 < p->size; i++) {
		if (bit(p, i))
			continue;
		set_bit(p, i);
		*ip = p->subnet.network + i;
		return 0;
	}
	return -ENOSPC;
}

int pool_claim(struct pool *p, uint32_t ip)
{
	if (!assignable(p, ip))
		return -ERANGE;
	if (bit(p, ip - p->subnet.network))
		return -EADDRINUSE;
	set_bit(p, ip - p->subnet.network);
	return 0;
}

void pool_release(struct pool *p, uint32_t ip)
{
	uint32_t i = ip - p->subnet.network;

	if (p->used && assignable(p, ip) && ip != p->gateway)
		p->used[i / 64] &= ~(1ULL << (i % 64));
}
