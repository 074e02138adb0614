/* Questions as bytes, answers as bytes. What goes over sockets is tests/net/test_dns.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "dns/message.h"

#define HEAD(flags, count) "\0\7" flags count "\0\0\0\0\0\0"
#define HEAD_MORE(flags, count) "\0\7" flags count "\0\0\0\0\0\1"
#define ASK(name, type) name "\0\0" type "\0\1"
#define WEB "\3web"

static void questions_are_read(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int rc;
		const char *name;
		unsigned type;
		size_t room;
	} rows[] = {
#define ROW(bytes, rc, name, type, room) { bytes, sizeof(bytes) - 1, rc, name, type, room }
		ROW(HEAD("\1\0", "\0\1") ASK(WEB, "\1"), DNS_OK, "web", DNS_A, 512),
		ROW(HEAD("\1\0", "\0\1") ASK("\3WEB\4Blue", "\34"), DNS_OK, "web.blue", DNS_AAAA, 512),
		ROW(HEAD_MORE("\1\0", "\0\1") ASK(WEB, "\1") "\0\0\51\20\0\0\0\0\0\0\0", DNS_OK, "web", DNS_A,
		    4096),
		ROW(HEAD_MORE("\1\0", "\0\1") ASK(WEB, "\1") "\0\0\51\0\1\0\0\0\0\0\0", DNS_OK, "web", DNS_A,
		    512),
		ROW(HEAD("\1\0", "\0\1") "\0\0\1\0\1", DNS_OK, "", DNS_A, 512),
		/* a dot or a NUL within a label is no two labels */
		ROW(HEAD("\1\0", "\0\1") ASK("\7web.red", "\1"), DNS_OK, "", DNS_A, 512),
		ROW(HEAD("\1\0", "\0\1") ASK("\3w\0b", "\1"), DNS_OK, "", DNS_A, 512),
		ROW(HEAD("\x81\0", "\0\1") ASK(WEB, "\1"), -1, "", 0, 512),
		ROW("\0\7\1", -1, "", 0, 512),
		ROW(HEAD("\x29\0", "\0\1") ASK(WEB, "\1"), DNS_NOT_IMPLEMENTED, "", 0, 512),
		ROW(HEAD("\1\0", "\0\2") ASK(WEB, "\1"), DNS_FORMAT_ERROR, "", 0, 512),
		ROW(HEAD("\1\0", "\0\0"), DNS_FORMAT_ERROR, "", 0, 512),
		ROW(HEAD("\1\0", "\0\1") "\x77web\0\0\1\0\1", DNS_FORMAT_ERROR, "", 0, 512),
		ROW(HEAD("\1\0", "\0\1") "\xc0\x0c\0\1\0\1", DNS_FORMAT_ERROR, "", 0, 512),
		ROW(HEAD("\1\0", "\0\1") WEB, DNS_FORMAT_ERROR, "", 0, 512),
		ROW(HEAD("\1\0", "\0\1") WEB "\0\0\1", DNS_FORMAT_ERROR, "web", 0, 512),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dns_query q;

		assert_int_equal(dns_query_read((const uint8_t *)rows[i].bytes, rows[i].len, &q),
				 rows[i].rc);
		if (rows[i].rc == DNS_OK)
			assert_string_equal(q.name, rows[i].name);
		assert_int_equal(q.type, rows[i].type);
		assert_int_equal(q.answer_room, rows[i].room);
	}
}

static void a_name_has_an_end(void **state)
{
	uint8_t bytes[DNS_QUERY_MAX] = "\0\7\1\0\0\1\0\0\0\0\0";
	struct dns_query q;

	(void)state;
	/* 63 + 63 + 63 + 61 and their lengths: the longest that there may be, and one more. */
	for (size_t at = DNS_HEADER, i = 0; i < 4; i++, at += 64)
		bytes[at] = i < 3 ? 63 : 61;
	assert_int_equal(dns_query_read(bytes, DNS_HEADER + 3 * 64 + 62 + 5, &q), DNS_OK);
	bytes[DNS_HEADER + 3 * 64] = 63;
	assert_int_equal(dns_query_read(bytes, DNS_HEADER + 3 * 64 + 64 + 5, &q), DNS_FORMAT_ERROR);
}

static void addresses_of_the_reverse_tree(void **state)
{
	static const struct { const char *name; uint32_t ip; bool ok; } rows[] = {
		{ "2.0.99.10.in-addr.arpa", 0x0a630002, true },
		{ "256.0.99.10.in-addr.arpa", 0, false },
		{ "2.0.99.10.in-addr.arp", 0, false },
		{ "2.0.99.10.in-addr.arpa.x", 0, false },
		{ "99.10.in-addr.arpa", 0, false },
		{ "web", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t ip = 0;

		assert_int_equal(dns_reverse(rows[i].name, &ip), rows[i].ok);
		assert_int_equal(ip, rows[i].ip);
	}
}

static void answers_belong_to_their_questions(void **state)
{
	static const char ask[] = HEAD("\1\0", "\0\1") ASK(WEB, "\1");
	static const uint32_t ips[] = { 0x0a630002, 0x0a630003 };
	static const char answer[] = "\0\7\x81\x80\0\1\0\2\0\0\0\0" ASK(WEB, "\1")
		"\xc0\x0c\0\1\0\1\0\0\0\n\0\4\n\x63\0\2" "\xc0\x0c\0\1\0\1\0\0\0\n\0\4\n\x63\0\3";
	const uint8_t *query = (const uint8_t *)ask;
	autobuf struct buf out = { 0 }, other = { 0 };
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_read(query, sizeof(ask) - 1, &q), DNS_OK);
	dns_answer_addresses(&out, query, &q, ips, 2, DNS_UDP_LEAST);
	assert_int_equal(out.len, sizeof(answer) - 1);
	assert_memory_equal(out.data, answer, out.len);
	assert_true(dns_belongs((uint8_t *)out.data, out.len, query, sizeof(ask) - 1));
	out.data[1]++;
	assert_false(dns_belongs((uint8_t *)out.data, out.len, query, sizeof(ask) - 1));
	out.data[1]--;
	out.data[13] = 'x';
	assert_false(dns_belongs((uint8_t *)out.data, out.len, query, sizeof(ask) - 1));
	assert_false(dns_belongs((uint8_t *)out.data, 14, query, sizeof(ask) - 1));
	/* One that has no room for the second says so. */
	dns_answer_addresses(&other, query, &q, ips, 2, q.question_end + 16);
	assert_int_equal(other.data[7], 1);
	assert_true(other.data[2] & 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_read),
		cmocka_unit_test(a_name_has_an_end),
		cmocka_unit_test(addresses_of_the_reverse_tree),
		cmocka_unit_test(answers_belong_to_their_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
