#include "engine/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/netlink.h"
#include "base/nft.h"
#include "engine/internal.h"
#include "engine/networks.h"

enum { CONTROL_FD = 3, AGAIN_MS = 500, RESOLV_MAX_BYTES = 64 * 1024, BACKLOG = 16, DNS_PORT = 53,
       DSTNAT = -100 };

static const uint32_t address = 127U << 24 | 11;

struct resolver {
	struct engine *engine;
	int control;                  /* -1: it does not run */
	struct child child;
	struct loop_source *source;   /* of control: it hangs up when the program ends */
	struct loop_source *again;    /* until it is started again */
	struct loop_source *tell;     /* names are to be told */
};

static const struct endpoint *own_network(const struct container *c, size_t from)
{
	for (size_t i = from; i < c->endpoints.count; i++)
		if (c->endpoints.items[i].network && !c->endpoints.items[i].network->builtin)
			return &c->endpoints.items[i];
	return NULL;
}

bool resolver_wanted(const struct container *c)
{
	return own_network(c, 0) != NULL;
}

bool resolver_link(const struct container *c, const struct endpoint *ep, const char *text,
		   struct resolver_link *out)
{
	const char *colon = strchr(text, ':');
	autofree char *name = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	const struct endpoint *there = NULL;
	struct container *to;

	if (name && !engine_find(c->engine, name, &to, NULL))
		there = network_endpoint(ep->network, to);
	if (!there)
		return false;
	*out = (struct resolver_link){ .to = to, .ip = there->ip,
				       .alias = colon ? colon + 1 : to->name };
	return true;
}

/* ---- what is told ---- */

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static void add_upstream(const struct engine *en, struct buf *out)
{
	static const char word[] = "nameserver ";
	autobuf struct buf text = { 0 };
	char *save = NULL;

	if (file_read_at(AT_FDCWD, en->paths.resolv, RESOLV_MAX_BYTES, &text, NULL) < 0 || !text.len)
		return;
	for (char *l = strtok_r(text.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *scope = strchr(l, '%');

		if (strncmp(l, word, sizeof(word) - 1))
			continue;
		l += sizeof(word) - 1;
		if (scope)
			*scope = '\0';
		l[strcspn(l, " \t")] = '\0';
		if (!is_address(l))
			continue;
		/* The program sees no links; it is told the number. */
		buf_addf(out, "upstream %s", l);
		if (scope)
			buf_addf(out, "%%%u", if_nametoindex(scope + 1));
		buf_addc(out, '\n');
	}
}

static void add_names(const struct network *n, const struct container *c, struct buf *out)
{
	const struct endpoint *ep = network_endpoint(n, c);
	char ip[IPV4_TEXT_MAX], id[CONTAINER_SHORT_ID_LEN + 1];

	if (!ep)
		return;
	ipv4_text(ep->ip, ip);
	buf_addf(out, "name %s %s\n", c->name, ip);
	for (size_t i = 0; i < ep->asked.aliases.count; i++)
		buf_addf(out, "name %s %s\n", ep->asked.aliases.items[i], ip);
	buf_addf(out, "name %s %s\n", container_short_id(c, id), ip);
}

static void add_container(const struct container *c, struct buf *out)
{
	char ip[IPV4_TEXT_MAX];

	buf_addf(out, "container %s %s\n", c->id, network_gateway(c) ? "forward" : "shut");
	for (size_t i = 0; i < c->spec.dns.count; i++)
		if (is_address(c->spec.dns.items[i]))
			buf_addf(out, "server %s\n", c->spec.dns.items[i]);
	for (size_t i = 0; i < c->endpoints.count; i++) {
		const struct endpoint *ep = &c->endpoints.items[i];
		struct resolver_link link;

		if (!ep->network || ep->network->builtin)
			continue;
		buf_addf(out, "on %s\n", ep->network->id);
		for (size_t k = 0; k < ep->asked.links.count; k++)
			if (resolver_link(c, ep, ep->asked.links.items[k], &link))
				buf_addf(out, "link %s %s\n", link.alias, ipv4_text(link.ip, ip));
	}
}

static void write_names(const struct engine *en, struct buf *out)
{
	add_upstream(en, out);
	for (size_t i = 0; i < en->network_count; i++) {
		const struct network *n = en->networks[i];

		if (n->builtin || !n->ready)
			continue;
		buf_addf(out, "network %s %s\n", n->id, n->name);
		for (size_t k = 0; k < en->count; k++)
			add_names(n, en->containers[k], out);
	}
	for (size_t i = 0; i < en->count; i++)
		if (resolver_wanted(en->containers[i]))
			add_container(en->containers[i], out);
}

/* ---- telling ---- */

static int say(const struct resolver *r, const char *text, const int *fds, size_t count)
{
	char room[CMSG_SPACE(2 * sizeof(int))]
		__attribute__((aligned(__alignof__(struct cmsghdr)))) = { 0 };
	struct iovec iov = { (char *)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room,
			    .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	return sendmsg(r->control, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int tell_names(const struct resolver *r)
{
	autobuf struct buf text = { 0 };
	autoclose int fd = memfd_create("names", MFD_CLOEXEC);
	int rc;

	write_names(r->engine, &text);
	if (fd < 0 || !buf_ok(&text))
		return -ENOMEM;
	rc = file_write_all(fd, buf_text(&text), text.len);
	return rc < 0 ? rc : say(r, "T", &fd, 1);
}

static void start_later(struct resolver *r);

/* One that does not take what it is told is as good as dead. */
static void give_up(struct resolver *r, int rc)
{
	log_error("the resolver of containers cannot be told: %s; it is started again", strerror(-rc));
	start_later(r);
}

static void on_tell(struct loop *l, void *arg)
{
	struct resolver *r = arg;
	int rc;

	(void)l;
	r->tell = NULL;
	rc = r->control >= 0 ? tell_names(r) : 0;
	if (rc < 0)
		give_up(r, rc);
}

void resolver_changed(struct engine *en)
{
	struct resolver *r = en->resolver;

	if (r && !r->tell)
		r->tell = loop_timer(en->loop, 0, on_tell, r);
}

/* ---- a container's sockets ---- */

struct sockets {
	int fds[2];       /* UDP, TCP */
	uint16_t ports[2];
};

static int open_socket(int type, uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	socklen_t size = sizeof(a);
	autoclose int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &size) < 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		return -errno;
	*port = ntohs(a.sin_port);
	return take_fd(&fd);
}

/* Port 53 itself stays free: the container may be a name server. */
static void redirect(struct nft *n, uint8_t protocol, uint16_t port)
{
	nft_rule(n);
	nft_match_ipv4(n);
	nft_match_address(n, NFT_DESTINATION, true, address, 32);
	nft_match_protocol(n, protocol);
	nft_match_port(n, DNS_PORT, DNS_PORT);
	nft_do_dnat(n, address, port);
	nft_rule_end(n);
}

static int open_inside(void *arg, struct err *e)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };
	struct sockets *s = arg;
	struct nft n;
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		s->fds[i] = open_socket(types[i], &s->ports[i]);
		if (s->fds[i] < 0)
			return err_code(e, s->fds[i], "make a socket at " RESOLVER_ADDRESS);
	}
	nft_begin(&n, "berth-names");
	nft_chain(&n, "output", "nat", NFT_OUTPUT, DSTNAT, NFT_TO_ACCEPT);
	redirect(&n, IPPROTO_UDP, s->ports[0]);
	redirect(&n, IPPROTO_TCP, s->ports[1]);
	rc = nft_send(&n, e);
	nft_free(&n);
	return rc;
}

static int attach(struct resolver *r, const struct container *c, int netns, struct err *e)
{
	struct sockets s = { .fds = { -1, -1 } };
	char text[CONTAINER_ID_LEN + 2];
	int rc = netns_run(netns, open_inside, &s, e);

	snprintf(text, sizeof(text), "S%s", c->id);
	if (!rc) {
		rc = say(r, text, s.fds, ARRAY_LEN(s.fds));
		if (rc < 0)
			err_code(e, rc, "hand the sockets over");
	}
	for (size_t i = 0; i < ARRAY_LEN(s.fds); i++)
		if (s.fds[i] >= 0)
			close(s.fds[i]);
	return rc;
}

/* ---- the program ---- */

static void attach_again(struct resolver *r)
{
	for (size_t i = 0; i < r->engine->count; i++) {
		const struct container *c = r->engine->containers[i];
		char path[64];
		autoclose int netns = -1;
		struct err e = { 0 };

		if (!resolver_wanted(c) || c->pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/net", c->pid);
		netns = open(path, O_RDONLY | O_CLOEXEC);
		if (netns >= 0 && attach(r, c, netns, &e) < 0)
			log_warn("container \"%s\" has no names: %s", c->name, e.text);
	}
	resolver_changed(r->engine);
}

static void on_hang_up(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct resolver *r = arg;

	(void)l;
	(void)fd;
	(void)events;
	log_warn("the resolver of containers ended; it is started again");
	start_later(r);
}

static int start(struct resolver *r, struct err *e)
{
	const char *argv[] = { r->engine->paths.dns, NULL };
	int ends[2] = { -1, -1 };
	struct spawn_fd fd = { .to = CONTROL_FD };
	struct spawn sp = { .argv = argv, .fds = &fd, .fd_count = 1, .inherit_stdio = true };
	int rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "a socket for the resolver of containers");
	fd.from = ends[1];
	rc = spawn(&sp, &r->child, e);
	close(ends[1]);
	if (!rc)
		r->source = loop_fd(r->engine->loop, ends[0], EPOLLIN, on_hang_up, r);
	if (rc < 0 || !r->source) {
		close(ends[0]);
		return rc < 0 ? rc : err_set(e, -ENOMEM, "out of memory");
	}
	r->control = ends[0];
	return 0;
}

static void stop(struct resolver *r)
{
	loop_remove(r->engine->loop, take_ptr(r->source));
	if (r->control < 0)
		return;
	/* It ends when it is hung up on; whatever it does, it does not hold us up. */
	close(take_fd(&r->control));
	kill(r->child.pid, SIGKILL);
	spawn_wait(&r->child);
}

static void on_again(struct loop *l, void *arg)
{
	struct resolver *r = arg;
	struct err e = { 0 };

	(void)l;
	r->again = NULL;
	if (start(r, &e) == 0) {
		attach_again(r);
		return;
	}
	log_error("%s", e.text);
	start_later(r);
}

static void start_later(struct resolver *r)
{
	stop(r);
	if (!r->again)
		r->again = loop_timer(r->engine->loop, AGAIN_MS, on_again, r);
}

static struct resolver *running(struct engine *en)
{
	struct resolver *r = en->resolver;
	struct err e = { 0 };

	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->engine = en;
	r->control = -1;
	en->resolver = r;
	if (start(r, &e) < 0) {
		log_error("%s", e.text);
		start_later(r);
	}
	return r;
}

void resolver_attach(struct container *c, int netns)
{
	struct resolver *r = running(c->engine);
	struct err e = { 0 };

	/* While it does not run: its start will do it for all. */
	if (r && r->control >= 0 && attach(r, c, netns, &e) < 0)
		log_warn("container \"%s\" has no names: %s", c->name, e.text);
	resolver_changed(c->engine);
}

void resolver_free(struct engine *en)
{
	struct resolver *r = take_ptr(en->resolver);

	if (!r)
		return;
	stop(r);
	loop_remove(en->loop, r->again);
	loop_remove(en->loop, r->tell);
	free(r);
}
