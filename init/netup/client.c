#include "netup/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "netup/lease.h"
#include "netup/netup.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MOST_MS = 30000, ARGV_MAX = 32 };

static void start(struct client *c);

static void on_retry(struct loop *l, void *arg)
{
	struct client *c = arg;

	(void)l;
	c->retry = NULL;
	start(c);
}

static void retry_later(struct client *c)
{
	c->retry = loop_timer(c->loop, c->retry_ms, on_retry, c);
	c->retry_ms = c->retry_ms * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : c->retry_ms * 2;
}

static void on_end(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct client *c = arg;
	int code;

	(void)fd, (void)events;
	loop_remove(l, take_ptr(c->end));
	code = spawn_wait(&c->child);
	c->child.pid = 0;
	log_warn("%s: the DHCP client ended (%d); it is started again in %lld ms", c->link, code,
		 (long long)c->retry_ms);
	retry_later(c);
}

/* Asks each second at first: a bridge or a switch port may need some to let packets through. */
static size_t ipv4_arguments(struct client *c, const char **argv, size_t n, char *address,
			     char *option)
{
	static const char *const wanted[] = { "staticroutes", "search", "mtu", "ntpsrv" };
	struct lease_file old;

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		argv[n++] = "-O";
		argv[n++] = wanted[i];
	}
	lease_load(NETUP_LEASES, c->link, AF_INET, &old);
	if (old.valid) {
		netlink_addr_text(&old.lease.address, address);
		address[strcspn(address, "/")] = '\0';
		argv[n++] = "-r";
		argv[n++] = address;
	}
	if (c->hostname[0]) {
		sprintf(option, "hostname:%s", c->hostname);
		argv[n++] = "-x";
		argv[n++] = option;
	}
	return n;
}

static size_t ipv6_arguments(const struct client *c, const char **argv, size_t n)
{
	/* 56 and 31: time servers (RFC 5908, RFC 4075). */
	static const char *const wanted[] = { "dns", "search", "56", "31" };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		argv[n++] = "-O";
		argv[n++] = wanted[i];
	}
	if (c->stateless)
		argv[n++] = "-l";
	return n;
}

static void start(struct client *c)
{
	char address[NETLINK_ADDR_TEXT_MAX], option[sizeof(c->hostname) + 16];
	bool ipv4 = c->family == AF_INET;
	const char *argv[ARGV_MAX] = { ipv4 ? NETUP_DHCP_CLIENT : NETUP_DHCP6_CLIENT,
				       "-f", "-i", c->link, "-s", NETUP_DHCP_EVENT,
				       "-t", "8", "-T", "1", "-A", "5" };
	struct spawn s = { .argv = argv, .inherit_stdio = true };
	struct err e = { "" };
	size_t n = 12;

	n = ipv4 ? ipv4_arguments(c, argv, n, address, option) : ipv6_arguments(c, argv, n);
	argv[n] = NULL;
	/* The client hands its environment on to dhcp-event. */
	setenv("BERTH_DHCP", ipv4 ? "4" : "6", 1);
	if (spawn(&s, &c->child, &e) < 0) {
		log_error("%s: %s", c->link, e.text);
		c->child.pid = 0;
		retry_later(c);
		return;
	}
	c->end = loop_fd(c->loop, c->child.pidfd, EPOLLIN, on_end, c);
}

void client_stop(struct client *c)
{
	if (!c->loop)
		return;
	loop_remove(c->loop, take_ptr(c->end));
	loop_remove(c->loop, take_ptr(c->retry));
	if (c->child.pid) {
		kill(c->child.pid, SIGTERM);
		spawn_wait(&c->child);
		c->child.pid = 0;
	}
	c->loop = NULL;
}

void client_drop(struct client *c)
{
	if (!c->loop)
		return;
	client_stop(c);
	lease_remove(NETUP_LEASES, c->link, c->family);
}

void client_want(struct client *c, struct loop *loop, const struct client_wish *wish)
{
	char hostname[sizeof(c->hostname)] = "";

	if (!wish->hostname)
		gethostname(hostname, sizeof(hostname) - 1);
	else
		snprintf(hostname, sizeof(hostname), "%s", wish->hostname);
	if (c->loop && strcmp(c->link, wish->link) == 0 && c->stateless == wish->stateless &&
	    strcmp(c->hostname, hostname) == 0)
		return;
	if (c->loop && strcmp(c->link, wish->link) != 0)
		client_drop(c);
	client_stop(c);
	*c = (struct client){ .loop = loop, .family = wish->family, .stateless = wish->stateless,
			      .retry_ms = RETRY_FIRST_MS };
	snprintf(c->link, sizeof(c->link), "%s", wish->link);
	snprintf(c->hostname, sizeof(c->hostname), "%s", hostname);
	start(c);
}

void client_renew(struct client *c)
{
	if (c->loop && c->child.pid)
		kill(c->child.pid, SIGUSR1);
}
