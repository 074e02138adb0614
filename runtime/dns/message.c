#include "dns/message.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	FLAG_ANSWER = 0x8000, OPCODE = 0x7800, FLAG_TRUNCATED = 0x0200, FLAG_RECURSION = 0x0100,
	FLAG_AVAILABLE = 0x0080,
	LABEL_MAX = 63,
	TEXT_MAX = 253,         /* 255 on the wire */
	CLASS_IN = 1,
	TTL_SECONDS = 10,       /* containers come and go */
	NAME_POINTER = 0xc00c,  /* the question's name, which follows the header */
	RECORD_HEAD = 12,       /* pointer, type, class, ttl, length */
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(struct buf *out, unsigned value)
{
	uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	buf_add(out, bytes, sizeof(bytes));
}

static void put32(struct buf *out, uint32_t value)
{
	put16(out, value >> 16);
	put16(out, value & 0xffff);
}

/* A label with a dot or a NUL in it is not to be taken for two. */
static bool plain(const uint8_t *label, size_t len)
{
	return !memchr(label, '.', len) && !memchr(label, '\0', len);
}

/* Returns the offset behind the name, 0 when it is damaged. In a question none is compressed. */
static size_t read_name(const uint8_t *bytes, size_t len, size_t at, char out[DNS_NAME_MAX])
{
	size_t n = 0;
	bool text = true;

	while (at < len && bytes[at]) {
		size_t label = bytes[at++];

		if (label > LABEL_MAX || label >= len - at || n + label + 1 > TEXT_MAX)
			return 0;
		text = text && plain(bytes + at, label);
		if (n)
			out[n++] = '.';
		for (size_t i = 0; i < label; i++)
			out[n++] = (char)tolower(bytes[at + i]);
		at += label;
	}
	out[text ? n : 0] = '\0';
	return at < len ? at + 1 : 0;
}

/* The size that the client says it takes, in the first record after the question. */
static size_t read_room(const uint8_t *bytes, size_t len, size_t at)
{
	size_t room = DNS_UDP_LEAST;

	/* name "." (1), type (2), class: the size (2) */
	if (len - at >= 5 && !bytes[at] && get16(bytes + at + 1) == DNS_OPT)
		room = get16(bytes + at + 3);
	return room < DNS_UDP_LEAST ? DNS_UDP_LEAST : room;
}

int dns_query_read(const uint8_t *bytes, size_t len, struct dns_query *out)
{
	uint16_t flags;
	size_t at;

	*out = (struct dns_query){ .question_end = DNS_HEADER, .answer_room = DNS_UDP_LEAST };
	if (len < DNS_HEADER)
		return -1;
	flags = get16(bytes + 2);
	out->id = get16(bytes);
	out->recursion = flags & FLAG_RECURSION;
	if (flags & FLAG_ANSWER)
		return -1;
	if (flags & OPCODE)
		return DNS_NOT_IMPLEMENTED;
	if (len > DNS_QUERY_MAX || get16(bytes + 4) != 1 || get16(bytes + 6) || get16(bytes + 8))
		return DNS_FORMAT_ERROR;
	at = read_name(bytes, len, DNS_HEADER, out->name);
	if (!at || len - at < 4)
		return DNS_FORMAT_ERROR;
	out->type = get16(bytes + at);
	out->class = get16(bytes + at + 2);
	out->question_end = at + 4;
	out->answer_room = read_room(bytes, len, out->question_end);
	return DNS_OK;
}

bool dns_reverse(const char *name, uint32_t *ip)
{
	unsigned a, b, c, d;
	char rest;

	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arp%c%c", &d, &c, &b, &a, &rest, &rest) != 5 ||
	    rest != 'a' || a > 255 || b > 255 || c > 255 || d > 255)
		return false;
	*ip = a << 24 | b << 16 | c << 8 | d;
	return true;
}

static void begin(struct buf *out, const uint8_t *query, const struct dns_query *q, unsigned rcode,
		  size_t answers, bool truncated)
{
	put16(out, q->id);
	put16(out, FLAG_ANSWER | FLAG_AVAILABLE | (q->recursion ? FLAG_RECURSION : 0U) |
		   (truncated ? FLAG_TRUNCATED : 0U) | rcode);
	put16(out, q->question_end > DNS_HEADER);
	put16(out, (unsigned)answers);
	put32(out, 0);
	buf_add(out, query + DNS_HEADER, q->question_end - DNS_HEADER);
}

static void record(struct buf *out, unsigned type, size_t len)
{
	put16(out, NAME_POINTER);
	put16(out, type);
	put16(out, CLASS_IN);
	put32(out, TTL_SECONDS);
	put16(out, (unsigned)len);
}

void dns_answer_empty(struct buf *out, const uint8_t *query, const struct dns_query *q, int rcode)
{
	begin(out, query, q, (unsigned)rcode, 0, false);
}

void dns_answer_addresses(struct buf *out, const uint8_t *query, const struct dns_query *q,
			  const uint32_t *ips, size_t count, size_t room)
{
	size_t fit = (room - q->question_end) / (RECORD_HEAD + 4);

	if (fit > count)
		fit = count;
	begin(out, query, q, DNS_OK, fit, fit < count);
	for (size_t i = 0; i < fit; i++) {
		record(out, DNS_A, 4);
		put32(out, ips[i]);
	}
}

void dns_answer_name(struct buf *out, const uint8_t *query, const struct dns_query *q,
		     const char *name)
{
	uint8_t wire[DNS_NAME_MAX + 1];
	size_t n = 0;

	while (*name) {
		size_t label = strcspn(name, ".");

		if (!label || label > LABEL_MAX || n + label + 2 > sizeof(wire)) {
			dns_answer_empty(out, query, q, DNS_SERVER_FAILURE);
			return;
		}
		wire[n++] = (uint8_t)label;
		memcpy(wire + n, name, label);
		n += label;
		name += label + (name[label] == '.');
	}
	wire[n++] = 0;
	begin(out, query, q, DNS_OK, 1, false);
	record(out, DNS_PTR, n);
	buf_add(out, wire, n);
}

bool dns_belongs(const uint8_t *answer, size_t answer_len, const uint8_t *query, size_t len)
{
	struct dns_query q;

	if (dns_query_read(query, len, &q) != DNS_OK || answer_len < q.question_end)
		return false;
	/* The question is sent back as it was, in most servers' answers to the letter. */
	if (get16(answer) != q.id || !(get16(answer + 2) & FLAG_ANSWER) || get16(answer + 4) != 1)
		return false;
	for (size_t i = DNS_HEADER; i < q.question_end; i++)
		if (tolower(answer[i]) != tolower(query[i]))
			return false;
	return true;
}
