#include "netup/lease.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { VALUE_MAX = 4096, MTU_LEAST = 576, MTU_MOST = 65535 };

bool lease_is_link_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IFNAMSIZ || *name == '.' || *name == '-')
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name >= 0x7f || *name == '/')
			return false;
	return true;
}

static const char *value_of(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

/* An address that one machine may have. */
static bool is_host(const struct netlink_addr *a)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	uint8_t first = a->bytes[0];

	/* Neither group, link-local (its link is not said), loopback nor nothing. */
	if (a->family == AF_INET6)
		return a->prefix == 128 && first != 0xff && (first != 0xfe || a->bytes[1] < 0x80) &&
		       memcmp(a->bytes, loopback, 15) != 0;
	return a->family == AF_INET && a->prefix == 32 && first != 0 && first != 127 &&
	       first < 224;
}

static bool parse_host(const char *text, struct netlink_addr *out)
{
	struct netlink_addr a;

	if (netlink_addr_parse(text, &a) < 0 || !is_host(&a))
		return false;
	*out = a;
	return true;
}

static bool parse_host4(const char *text, struct netlink_addr *out)
{
	return parse_host(text, out) && out->family == AF_INET;
}

static bool parse_number(const char *text, unsigned long least, unsigned long most,
			 unsigned *out)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (*end || errno || value < least || value > most)
		return false;
	*out = (unsigned)value;
	return true;
}

/* RFC 1035's names, and "_", which some networks use. */
static bool is_domain(const char *text)
{
	size_t label = 0, len = strlen(text);

	if (len == 0 || len >= LEASE_NAME_LEN)
		return false;
	for (const char *p = text; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			      (*p >= '0' && *p <= '9') || *p == '_' || (*p == '-' && label);

		if (*p == '.' ? label == 0 : !letter)
			return false;
		label = *p == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return true;
}

/* ---- the fields: each reads one variable; false: the value is wrong ---- */
static bool add_hosts(char *words, struct netlink_addr *list, size_t *count)
{
	char *save = NULL;

	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		struct netlink_addr a;

		if (!parse_host(w, &a))
			return false;
		if (*count < LEASE_HOSTS_MAX)
			list[(*count)++] = a;
	}
	return true;
}

static bool read_dns(char *text, struct lease *l)
{
	return add_hosts(text, l->dns, &l->dns_count);
}

static bool read_ntp(char *text, struct lease *l)
{
	return add_hosts(text, l->ntp, &l->ntp_count);
}

static bool read_server(char *text, struct lease *l)
{
	return parse_host4(text, &l->server);
}

static bool read_names(char *text, struct lease *l)
{
	char *save = NULL;

	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		bool known = false;

		if (!is_domain(w))
			return false;
		for (size_t i = 0; i < l->search_count; i++)
			known = known || strcmp(l->search[i], w) == 0;
		if (!known && l->search_count < LEASE_NAMES_MAX)
			strcpy(l->search[l->search_count++], w);
	}
	return true;
}

static bool read_mtu(char *text, struct lease *l)
{
	return parse_number(text, MTU_LEAST, MTU_MOST, &l->mtu);
}

static bool read_seconds(char *text, struct lease *l)
{
	return parse_number(text, 1, UINT32_MAX, &l->seconds);
}

static bool add_route(struct lease *l, const char *to, const char *via)
{
	struct lease_route r = { 0 };

	if (netlink_addr_parse(to, &r.to) < 0 || r.to.family != AF_INET || !strchr(to, '/'))
		return false;
	if (r.to.prefix == 0)
		r.to = (struct netlink_addr){ 0 };
	else if (r.to.bytes[0] == 0 || r.to.bytes[0] == 127 || r.to.bytes[0] >= 224)
		return false;
	if (strcmp(via, "0.0.0.0") != 0 && !parse_host4(via, &r.via))
		return false;
	if (r.to.family == 0 && r.via.family == 0)
		return false;
	if (l->route_count < LEASE_ROUTES_MAX)
		l->routes[l->route_count++] = r;
	return true;
}

/* "192.0.2.0/24 10.0.0.1 0.0.0.0/0 10.0.0.2" */
static bool read_routes(char *text, struct lease *l)
{
	char *save = NULL;

	for (char *to = strtok_r(text, " ", &save); to; to = strtok_r(NULL, " ", &save)) {
		char *via = strtok_r(NULL, " ", &save);

		if (!via || !add_route(l, to, via))
			return false;
	}
	return true;
}

/* Clients that take option 121 must ignore the routers (RFC 3442). Only the first router is
 * used: the kernel would not know when to change to another. */
static bool read_router(char *text, struct lease *l)
{
	struct lease_route r = { 0 };

	if (l->route_count)
		return true;
	text[strcspn(text, " ")] = '\0';
	if (!parse_host4(text, &r.via))
		return false;
	l->routes[l->route_count++] = r;
	return true;
}

/* Who says it: a server of IPv4, of IPv6, a router of IPv6. */
enum { BY_DHCP4 = 1, BY_DHCP6 = 2, BY_ROUTER = 4 };

/* In the order in which they must be read. */
static const struct {
	const char *name;
	bool (*read)(char *text, struct lease *l);
	const char *what;
	int by;
} fields[] = {
	{ "serverid", read_server, "the server's own address", BY_DHCP4 },
	{ "staticroutes", read_routes, "the routes (option 121)", BY_DHCP4 },
	{ "router", read_router, "the router", BY_DHCP4 },
	{ "dns", read_dns, "the name servers", BY_DHCP4 | BY_DHCP6 | BY_ROUTER },
	{ "domain", read_names, "the domain", BY_DHCP4 },
	{ "search", read_names, "the search domains", BY_DHCP4 | BY_DHCP6 | BY_ROUTER },
	{ "ntpsrv", read_ntp, "the time servers", BY_DHCP4 | BY_DHCP6 },
	{ "sntp", read_ntp, "the time servers (option 31)", BY_DHCP6 },
	{ "mtu", read_mtu, "the MTU", BY_DHCP4 },
	{ "lease", read_seconds, "the lease's time", BY_DHCP4 | BY_DHCP6 },
};

static void read_field(char *const *environment, size_t i, struct lease *l, struct buf *ignored)
{
	const char *value = value_of(environment, fields[i].name);
	struct lease before = *l;
	char copy[VALUE_MAX];

	if (!value || !*value)
		return;
	if (strlen(value) < sizeof(copy) && fields[i].read(strcpy(copy, value), l))
		return;
	*l = before;
	buf_addf(ignored, "the DHCP server gave nonsense for %s; it is ignored\n", fields[i].what);
}

static void read_fields(char *const *environment, int by, struct lease *l, struct buf *ignored)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].by & by)
			read_field(environment, i, l, ignored);
}

void lease_add_names(char *const *environment, struct lease *l, struct buf *ignored)
{
	read_fields(environment, BY_ROUTER, l, ignored);
}

/* "24" (mask) or "255.255.255.0" (subnet); neither: the address's old class, as RFC 2131 has it. */
static bool read_prefix(char *const *environment, struct netlink_addr *address)
{
	const char *mask = value_of(environment, "mask");
	const char *subnet = value_of(environment, "subnet");
	uint8_t first = address->bytes[0];
	struct netlink_addr bits;
	uint32_t value;

	if (mask && *mask)
		return parse_number(mask, 1, 32, &address->prefix);
	if (!subnet || !*subnet) {
		address->prefix = first < 128 ? 8 : first < 192 ? 16 : 24;
		return true;
	}
	if (netlink_addr_parse(subnet, &bits) < 0 || bits.family != AF_INET)
		return false;
	memcpy(&value, bits.bytes, sizeof(value));
	value = ntohl(value);
	/* Ones, then zeros, and at least one of the first. */
	if (!value || (~value & (~value + 1)))
		return false;
	address->prefix = (unsigned)__builtin_popcount(value);
	return true;
}

/* A server that gives no addresses (stateless, RFC 8415 section 6.1) gives name servers. */
static int read_ipv6(char *const *environment, struct lease *l, struct buf *ignored, struct err *e)
{
	const char *ip = value_of(environment, "ipv6");

	if (ip && (!parse_host(ip, &l->address) || l->address.family != AF_INET6))
		return err_set(e, -EINVAL, "the DHCPv6 server gave no usable address");
	read_fields(environment, BY_DHCP6, l, ignored);
	return ip || l->dns_count || l->ntp_count || l->search_count ? 0 :
		err_set(e, -EINVAL, "the DHCPv6 server gave neither an address nor a name server");
}

static int read_ipv4(char *const *environment, struct lease *l, struct buf *ignored, struct err *e)
{
	const char *ip = value_of(environment, "ip");

	if (!ip || !parse_host4(ip, &l->address))
		return err_set(e, -EINVAL, "the DHCP server gave no usable address");
	if (!read_prefix(environment, &l->address))
		return err_set(e, -EINVAL, "the DHCP server gave no usable network mask");
	read_fields(environment, BY_DHCP4, l, ignored);
	return 0;
}

int lease_read(char *const *environment, int family, struct lease *out, struct buf *ignored,
	       struct err *e)
{
	const char *link = value_of(environment, "interface");
	struct lease l = { 0 };
	int code;

	if (!link || !lease_is_link_name(link))
		return err_set(e, -EINVAL, "the DHCP client named no network link");
	strcpy(l.link, link);
	code = family == AF_INET ? read_ipv4(environment, &l, ignored, e) :
				   read_ipv6(environment, &l, ignored, e);
	if (code == 0)
		*out = l;
	return code;
}
