/* Claims of host ports: against each other, and against programs of the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "net/ports.h"

enum { PORT = 28080 };

static const char web, db; /* owners */

static void claims_clash_as_addresses_do(void **state)
{
	static const struct {
		enum protocol protocol;
		uint32_t ip;
		uint16_t first, last;
		int rc;
	} rows[] = {
		{ PROTOCOL_TCP, 0x7f000001, PORT, PORT, -EADDRINUSE },
		{ PROTOCOL_TCP, 0, PORT - 2, PORT, -EADDRINUSE },
		{ PROTOCOL_UDP, 0, PORT, PORT, 0 },
		{ PROTOCOL_TCP, 0, PORT + 1, PORT + 3, 0 },
	};
	struct publish held = { .protocol = PROTOCOL_TCP, .first = PORT, .last = PORT };
	struct ports *t = ports_new();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ports_claim(t, &held, &web, "web", &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct publish p = { .protocol = rows[i].protocol, .host_ip = rows[i].ip,
				     .first = rows[i].first, .last = rows[i].last };

		assert_int_equal(ports_claim(t, &p, &db, "db", &e), rows[i].rc);
		ports_release(t, &db);
	}
	ports_release(t, &web);
	held.host_ip = 0x7f000001;
	assert_int_equal(ports_claim(t, &held, &db, "db", &e), 0);
	ports_free(t);
}

static void the_sentence_names_the_container(void **state)
{
	struct publish p = { .protocol = PROTOCOL_UDP, .first = PORT, .last = PORT };
	struct ports *t = ports_new();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ports_claim(t, &p, &web, "web", &e), 0);
	assert_int_equal(ports_claim(t, &p, &db, "db", &e), -EADDRINUSE);
	assert_string_equal(e.text,
			    "port 0.0.0.0:28080/udp is already published by container \"web\"");
	ports_free(t);
}

static void the_sentence_names_the_program(void **state)
{
	autoclose int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(PORT + 10) };
	struct publish p = { .protocol = PROTOCOL_TCP, .first = PORT + 9, .last = PORT + 10 };
	struct ports *t = ports_new();
	struct err e = { 0 };
	char pid[32];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(ports_claim(t, &p, &web, "web", &e), -EADDRINUSE);
	snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	assert_non_null(strstr(e.text, "port 0.0.0.0:28090/tcp is in use on the host by \""));
	assert_non_null(strstr(e.text, pid));
	/* All or nothing: the free one of the two was given back. */
	p.last = p.first;
	assert_int_equal(ports_claim(t, &p, &db, "db", &e), 0);
	ports_free(t);
}

static void a_claim_keeps_programs_away(void **state)
{
	autoclose int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(PORT + 20) };
	struct publish p = { .protocol = PROTOCOL_TCP, .first = PORT + 20, .last = PORT + 20 };
	struct ports *t = ports_new();
	int one = 1;

	(void)state;
	assert_int_equal(ports_claim(t, &p, &web, "web", NULL), 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), -1);
	assert_int_equal(errno, EADDRINUSE);
	ports_free(t);
}

static void a_port_can_be_chosen(void **state)
{
	struct publish a = { .protocol = PROTOCOL_TCP }, b = a;
	struct ports *t = ports_new();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ports_claim_any(t, &a, 3, &web, "web", &e), 0);
	assert_int_equal(a.last - a.first, 2);
	assert_int_equal(ports_claim_any(t, &b, 1, &db, "db", &e), 0);
	assert_true(b.first > a.last || b.first < a.first);
	ports_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_clash_as_addresses_do),
		cmocka_unit_test(the_sentence_names_the_container),
		cmocka_unit_test(the_sentence_names_the_program),
		cmocka_unit_test(a_claim_keeps_programs_away),
		cmocka_unit_test(a_port_can_be_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
