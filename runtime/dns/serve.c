#include "dns/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dns/forward.h"
#include "dns/message.h"

/* Of one container, so that none can use up what all others need. */
enum { PENDING_MOST = 256, BURST = 32 };

struct pending {
	struct pending *next;
	struct served *served;
	struct forward *forward;
	struct sockaddr_in client;
	size_t len;
	uint8_t query[DNS_QUERY_MAX];
};

/* ---- the judgement ---- */

static void rotate(uint32_t *ips, size_t count, unsigned turn)
{
	uint32_t turned[NAMES_ADDRESSES_MAX];

	for (size_t i = 0; i < count; i++)
		turned[i] = ips[(i + turn) % count];
	memcpy(ips, turned, count * sizeof(*ips));
}

/* What containers are called is never asked outside, whatever the type: nobody there knows. */
static bool answer_name(struct served *c, const struct names_view *v, const uint8_t *query,
			const struct dns_query *q, size_t room, struct buf *answer)
{
	uint32_t ips[NAMES_ADDRESSES_MAX];
	size_t count = names_addresses(c->state->names, v, q->name, ips);

	if (!count)
		return false;
	rotate(ips, count, c->state->turn++);
	if (q->type == DNS_A)
		dns_answer_addresses(answer, query, q, ips, count, room ? room : q->answer_room);
	else
		dns_answer_empty(answer, query, q, DNS_OK);
	return true;
}

static bool answer_address(struct served *c, const struct names_view *v, const uint8_t *query,
			   const struct dns_query *q, struct buf *answer)
{
	char name[DNS_NAME_MAX];
	uint32_t ip;

	if (q->type != DNS_PTR || !dns_reverse(q->name, &ip) ||
	    !names_of_address(c->state->names, v, ip, name, sizeof(name)))
		return false;
	dns_answer_name(answer, query, q, name);
	return true;
}

enum verdict serve_judge(struct served *c, const uint8_t *query, size_t len, size_t room,
			 struct buf *answer, const struct servers **servers)
{
	const struct names_view *v = names_view(c->state->names, c->id);
	struct dns_query q;
	int rc = dns_query_read(query, len, &q);

	if (rc < 0)
		return VERDICT_NOTHING;
	if (rc != DNS_OK) {
		dns_answer_empty(answer, query, &q, rc);
		return VERDICT_ANSWER;
	}
	if (v && q.name[0] && (answer_name(c, v, query, &q, room, answer) ||
			       answer_address(c, v, query, &q, answer)))
		return VERDICT_ANSWER;
	*servers = v ? names_servers(c->state->names, v) : NULL;
	if (*servers && (*servers)->count)
		return VERDICT_FORWARD;
	dns_answer_empty(answer, query, &q, DNS_SERVER_FAILURE);
	return VERDICT_ANSWER;
}

/* ---- UDP ---- */

static void drop_pending(struct pending *p)
{
	struct pending **at = &p->served->pending;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->served->pending_count--;
	free(p);
}

static void send_to(const struct served *c, const struct sockaddr_in *client, const void *bytes,
		    size_t len)
{
	sendto(c->udp, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)client,
	       sizeof(*client));
}

static void on_forwarded(void *arg, const uint8_t *answer, size_t len)
{
	struct pending *p = arg;
	autobuf struct buf none = { 0 };
	struct dns_query q;

	if (answer) {
		send_to(p->served, &p->client, answer, len);
	} else if (dns_query_read(p->query, p->len, &q) == DNS_OK) {
		dns_answer_empty(&none, p->query, &q, DNS_SERVER_FAILURE);
		send_to(p->served, &p->client, none.data, none.len);
	}
	drop_pending(p);
}

static void forward(struct served *c, const struct servers *servers,
		    const struct sockaddr_in *client, const uint8_t *query, size_t len)
{
	struct pending *p;

	if (c->pending_count == PENDING_MOST)
		return; /* the client asks again */
	p = calloc(1, sizeof(*p));
	if (!p)
		return;
	p->forward = forward_ask(c->state->loop, servers, query, len, on_forwarded, p);
	if (!p->forward) {
		free(p);
		return;
	}
	p->served = c;
	p->client = *client;
	p->len = len;
	memcpy(p->query, query, len);
	p->next = c->pending;
	c->pending = p;
	c->pending_count++;
}

static bool take_one(struct served *c)
{
	uint8_t query[DNS_QUERY_MAX + 1];
	autobuf struct buf answer = { 0 };
	struct sockaddr_in client;
	socklen_t size = sizeof(client);
	const struct servers *servers;
	ssize_t n = recvfrom(c->udp, query, sizeof(query), MSG_DONTWAIT, (struct sockaddr *)&client,
			     &size);

	if (n < 0)
		return false;
	switch (serve_judge(c, query, (size_t)n, 0, &answer, &servers)) {
	case VERDICT_ANSWER:
		send_to(c, &client, answer.data, answer.len);
		break;
	case VERDICT_FORWARD:
		forward(c, servers, &client, query, (size_t)n);
		break;
	case VERDICT_NOTHING:
		break;
	}
	return true;
}

/* A few at a time: others want to be heard as well. */
static void on_udp(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)fd;
	(void)events;
	for (int i = 0; i < BURST && take_one(arg); i++)
		;
}

static void on_tcp(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)fd;
	(void)events;
	stream_accept(arg);
}

/* ---- containers ---- */

static void served_free(struct served *c)
{
	struct loop *l = c->state->loop;

	while (c->pending) {
		forward_cancel(c->pending->forward);
		drop_pending(c->pending);
	}
	stream_free_all(c);
	loop_remove(l, c->udp_source);
	loop_remove(l, c->tcp_source);
	close(c->udp);
	close(c->tcp);
	free(c);
}

static void drop_served(struct server_state *s, const char *id)
{
	for (struct served **at = &s->served; *at; at = &(*at)->next) {
		struct served *c = *at;

		if (strcmp(c->id, id))
			continue;
		*at = c->next;
		served_free(c);
		return;
	}
}

int serve_add(struct server_state *s, const char *id, int udp, int tcp)
{
	struct served *c = strlen(id) < NAMES_ID_MAX ? calloc(1, sizeof(*c)) : NULL;

	drop_served(s, id);
	if (!c) {
		close(udp);
		close(tcp);
		return -ENOMEM;
	}
	c->state = s;
	strcpy(c->id, id);
	c->udp = udp;
	c->tcp = tcp;
	c->udp_source = loop_fd(s->loop, udp, EPOLLIN, on_udp, c);
	c->tcp_source = loop_fd(s->loop, tcp, EPOLLIN, on_tcp, c);
	if (!c->udp_source || !c->tcp_source) {
		served_free(c);
		return -ENOMEM;
	}
	c->next = s->served;
	s->served = c;
	return 0;
}

void serve_names(struct server_state *s, struct names *names)
{
	names_free(s->names);
	s->names = names;
	for (struct served **at = &s->served; *at;) {
		struct served *c = *at;

		if (names_view(names, c->id)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		served_free(c);
	}
}

void serve_free(struct server_state *s)
{
	while (s->served)
		drop_served(s, s->served->id);
	names_free(take_ptr(s->names));
}
