#include "pid1/console/facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

enum { SUMMARY_MAX_BYTES = 8192, MOTD_MAX_BYTES = 8192 };

static int prefix_length(const struct sockaddr *mask)
{
	const unsigned char *p;
	size_t len;
	int bits = 0;

	if (!mask)
		return 0;
	if (mask->sa_family == AF_INET6) {
		p = ((const struct sockaddr_in6 *)(const void *)mask)->sin6_addr.s6_addr;
		len = 16;
	} else {
		p = (const unsigned char *)&((const struct sockaddr_in *)(const void *)mask)->sin_addr;
		len = 4;
	}
	for (size_t i = 0; i < len; i++)
		bits += __builtin_popcount(p[i]);
	return bits;
}

/* Containers' links are the engine's affair, not a way in. */
static bool is_of_host(const struct ifaddrs *a)
{
	static const char *const inner[] = { "veth", "br-", "berth", "docker" };

	if (!(a->ifa_flags & IFF_UP) || a->ifa_flags & IFF_LOOPBACK)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(inner); i++)
		if (!strncmp(a->ifa_name, inner[i], strlen(inner[i])))
			return false;
	return true;
}

static void add_address(struct buf *out, const struct ifaddrs *a)
{
	char text[INET6_ADDRSTRLEN];
	const void *address;

	if (a->ifa_addr->sa_family == AF_INET) {
		address = &((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr;
	} else {
		address = &((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr;
		if (IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)address))
			return;
	}
	if (inet_ntop(a->ifa_addr->sa_family, address, text, sizeof(text)))
		buf_addf(out, "%s %s/%d\n", a->ifa_name, text, prefix_length(a->ifa_netmask));
}

void facts_addresses(struct buf *out)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		for (const struct ifaddrs *a = all; a; a = a->ifa_next)
			if (a->ifa_addr && a->ifa_addr->sa_family == families[i] && is_of_host(a))
				add_address(out, a);
	freeifaddrs(all);
}

void facts_summary(struct buf *out)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/berth/init.sock" };
	struct timeval patience = { .tv_sec = 1 };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    file_write_all(fd, "summary\n", 8) < 0 ||
	    file_read_fd(fd, SUMMARY_MAX_BYTES, out, NULL) < 0)
		buf_reset(out);
}

void facts_motd(struct buf *out)
{
	if (file_read_at(AT_FDCWD, "/run/berth/motd", MOTD_MAX_BYTES, out, NULL) < 0)
		buf_reset(out);
}

int facts_watch_addresses(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	autoclose int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return take_fd(&fd);
}
