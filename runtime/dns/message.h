/* Questions and answers on the wire (RFC 1035 section 4, RFC 6891 for the size that a client
 * takes). Pure: bytes in, bytes out. Nothing in a packet is trusted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	DNS_NAME_MAX = 256,      /* with NUL */
	DNS_QUERY_MAX = 4096,    /* of a question that is read */
	DNS_ANSWER_MAX = 65535,
	DNS_UDP_LEAST = 512,     /* what every client takes */
	DNS_HEADER = 12,
};

enum { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41 };
enum { DNS_OK = 0, DNS_FORMAT_ERROR = 1, DNS_SERVER_FAILURE = 2, DNS_NOT_IMPLEMENTED = 4 };

struct dns_query {
	uint16_t id, type, class;
	char name[DNS_NAME_MAX]; /* lower case, no dot at the end; "" as well when it is no plain text */
	size_t question_end;     /* offset of what follows the question */
	size_t answer_room;      /* bytes that an answer over UDP may have */
	bool recursion;
};

/* 0; or an RCODE that is the answer (DNS_FORMAT_ERROR ...), `out` filled as far as it came; or -1:
 * no query at all, nothing to answer. */
int dns_query_read(const uint8_t *bytes, size_t len, struct dns_query *out);

/* "4.3.2.1.in-addr.arpa" -> 1.2.3.4 (host order). */
bool dns_reverse(const char *name, uint32_t *ip);

/* An answer without records. */
void dns_answer_empty(struct buf *out, const uint8_t *query, const struct dns_query *q, int rcode);

/* Addresses (host order), as many as fit into `room` bytes; a sign when some did not. */
void dns_answer_addresses(struct buf *out, const uint8_t *query, const struct dns_query *q,
			  const uint32_t *ips, size_t count, size_t room);

void dns_answer_name(struct buf *out, const uint8_t *query, const struct dns_query *q,
		     const char *name);

/* Is `answer` the answer to the `len` bytes of `query`, by its id and its question? */
bool dns_belongs(const uint8_t *answer, size_t answer_len, const uint8_t *query, size_t len);
