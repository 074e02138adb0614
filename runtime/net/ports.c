#include "net/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "net/holder.h"

enum { EPHEMERAL_FIRST = 32768, EPHEMERAL_LAST = 60999 };

struct claim {
	enum protocol protocol;
	uint32_t host_ip;
	uint16_t port;
	int fd;             /* -1: the kernel does not know the protocol */
	const void *owner;
	char *name;
};

struct ports {
	struct claim *claims;
	size_t count, room;
};

struct ports *ports_new(void)
{
	return calloc(1, sizeof(struct ports));
}

static void claim_drop(struct claim *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->name);
}

void ports_free(struct ports *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		claim_drop(&t->claims[i]);
	free(t->claims);
	free(t);
}

static const struct claim *find_clash(const struct ports *t, enum protocol protocol, uint32_t ip,
				      uint16_t port)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct claim *c = &t->claims[i];

		if (c->protocol == protocol && c->port == port &&
		    (!ip || !c->host_ip || ip == c->host_ip))
			return c;
	}
	return NULL;
}

static int bind_port(enum protocol protocol, uint32_t ip, uint16_t port)
{
	static const struct { int type, protocol; } kinds[PROTOCOL_COUNT] = {
		[PROTOCOL_TCP] = { SOCK_STREAM, IPPROTO_TCP },
		[PROTOCOL_UDP] = { SOCK_DGRAM, IPPROTO_UDP },
		[PROTOCOL_SCTP] = { SOCK_STREAM, IPPROTO_SCTP },
	};
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(ip),
	};
	autoclose int fd = socket(AF_INET, kinds[protocol].type | SOCK_CLOEXEC,
				  kinds[protocol].protocol);
	int one = 1;

	if (fd < 0)
		return -errno;
	/* An address that DHCP has not brought yet is no reason to refuse. */
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return take_fd(&fd);
}

static int describe_clash(const struct ports *t, enum protocol protocol, uint32_t ip, uint16_t port,
			  struct err *e)
{
	const struct claim *c = find_clash(t, protocol, ip, port);
	char text[IPV4_TEXT_MAX], who[HOLDER_TEXT_MAX];

	ipv4_text(ip, text);
	if (c)
		return err_set(e, -EADDRINUSE, "port %s:%u/%s is already published by container \"%s\"",
			       text, port, protocol_name(protocol), c->name);
	if (protocol != PROTOCOL_SCTP && !port_holder(protocol == PROTOCOL_UDP, port, who))
		return err_set(e, -EADDRINUSE, "port %s:%u/%s is in use on the host by %s", text, port,
			       protocol_name(protocol), who);
	return err_set(e, -EADDRINUSE, "port %s:%u/%s is in use on the host", text, port,
		       protocol_name(protocol));
}

static int add_claim(struct ports *t, const struct claim *c)
{
	if (t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 8;
		struct claim *grown = realloc(t->claims, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		t->claims = grown;
		t->room = room;
	}
	t->claims[t->count++] = *c;
	return 0;
}

static int claim_one(struct ports *t, const struct publish *p, uint16_t port, const void *owner,
		     const char *name, struct err *e)
{
	struct claim c = {
		.protocol = p->protocol, .host_ip = p->host_ip, .port = port, .owner = owner,
	};

	c.fd = find_clash(t, p->protocol, p->host_ip, port) ?
		       -EADDRINUSE : bind_port(p->protocol, p->host_ip, port);
	if (c.fd == -EADDRINUSE)
		return describe_clash(t, p->protocol, p->host_ip, port, e);
	if (c.fd == -EPROTONOSUPPORT)
		c.fd = -1;
	else if (c.fd < 0)
		return err_code(e, c.fd, "publish port %u/%s", port, protocol_name(p->protocol));
	c.name = strdup(name);
	if (!c.name || add_claim(t, &c) < 0) {
		claim_drop(&c);
		return err_set(e, -ENOMEM, "publish port %u: out of memory", port);
	}
	return 0;
}

static void forget_last(struct ports *t, size_t keep)
{
	while (t->count > keep)
		claim_drop(&t->claims[--t->count]);
}

int ports_claim(struct ports *t, const struct publish *p, const void *owner, const char *name,
		struct err *e)
{
	size_t before = t->count;

	for (unsigned port = p->first; port <= p->last; port++) {
		int rc = claim_one(t, p, (uint16_t)port, owner, name, e);

		if (rc < 0) {
			forget_last(t, before);
			return rc;
		}
	}
	return 0;
}

int ports_claim_any(struct ports *t, struct publish *p, unsigned count, const void *owner,
		    const char *name, struct err *e)
{
	for (unsigned first = EPHEMERAL_FIRST; first + count - 1 <= EPHEMERAL_LAST; first++) {
		struct publish try = *p;
		int rc;

		try.first = (uint16_t)first;
		try.last = (uint16_t)(first + count - 1);
		rc = ports_claim(t, &try, owner, name, NULL);
		if (!rc)
			*p = try;
		if (rc != -EADDRINUSE)
			return rc < 0 ? err_code(e, rc, "choose a host port") : 0;
	}
	return err_set(e, -EADDRINUSE, "no free host port between %d and %d", EPHEMERAL_FIRST,
		       EPHEMERAL_LAST);
}

void ports_release(struct ports *t, const void *owner)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (t->claims[i].owner == owner)
			claim_drop(&t->claims[i]);
		else
			t->claims[kept++] = t->claims[i];
	}
	t->count = kept;
}
