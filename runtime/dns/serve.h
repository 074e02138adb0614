/* The sockets on which containers ask, and what they are answered. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "dns/names.h"

struct server_state {
	struct loop *loop;
	struct names *names;       /* NULL: not told yet */
	struct served *served;     /* a list */
	unsigned turn;             /* round robin */
};

/* One container's sockets, which become ours; they replace those that it had. 0 or -errno. */
int serve_add(struct server_state *s, const char *id, int udp, int tcp);

/* Takes `names` over and forgets the containers that it does not know. */
void serve_names(struct server_state *s, struct names *names);
void serve_free(struct server_state *s);

/* ---- what serve.c and stream.c share ---- */

enum verdict { VERDICT_NOTHING, VERDICT_ANSWER, VERDICT_FORWARD };

struct served {
	struct served *next;
	struct server_state *state;
	char id[NAMES_ID_MAX];
	int udp, tcp;
	struct loop_source *udp_source, *tcp_source;
	struct pending *pending;   /* questions over UDP that others are asked */
	size_t pending_count;
	struct stream *streams;    /* connections */
	size_t stream_count;
};

/* `room`: bytes that an answer may have, 0: what the question says. For VERDICT_FORWARD `*servers`
 * are at least one. */
enum verdict serve_judge(struct served *c, const uint8_t *query, size_t len, size_t room,
			 struct buf *answer, const struct servers **servers);

void stream_accept(struct served *c);
void stream_free_all(struct served *c);
