/* resolv.conf of all links: rows of what definitions and leases say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "netup/resolver.h"

static const struct {
	const char *plan, *overrides; /* JSON */
	const char *dns, *search;     /* of the lease */
	const char *text;
} rows[] = {
	{ "{}", "{}", "", "", "# no name server is known\n" },
	{ "{}", "{}", "10.1.0.1 10.0.0.1", "b.example a.example",
	  "nameserver 10.1.0.1\nnameserver 10.0.0.1\nsearch b.example a.example\n" },
	/* The configuration's come first, each once, three at most. */
	{ "{\"nameservers\":{\"addresses\":[\"10.0.0.2\",\"2001:db8::1\"],\"search\":[\"a.example\"]}}", "{}",
	  "10.0.0.2 10.0.0.3 10.0.0.4", "b.example a.example",
	  "nameserver 10.0.0.2\nnameserver 2001:db8::1\nnameserver 10.0.0.3\n"
	  "search a.example b.example\n" },
	{ "{}", "{\"use-dns\":false}", "10.0.0.1", "a.example",
	  "search a.example\n" },
	{ "{}", "{\"use-domains\":false}", "10.0.0.1", "a.example", "nameserver 10.0.0.1\n" },
	{ "{\"nameservers\":7}", "[]", "10.0.0.1", "", "nameserver 10.0.0.1\n" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char dns[128], search[128];
		char *environment[] = { "interface=eth0", "ip=10.0.0.9", dns, search, NULL };
		yyjson_doc *plan = yyjson_read(rows[i].plan, strlen(rows[i].plan), 0);
		yyjson_doc *overrides = yyjson_read(rows[i].overrides, strlen(rows[i].overrides), 0);
		struct lease_file f = { .valid = true };
		autobuf struct buf ignored = { 0 };
		struct resolver r = { 0 };
		autofree char *text = NULL;

		snprintf(dns, sizeof(dns), "dns=%s", rows[i].dns);
		snprintf(search, sizeof(search), "search=%s", rows[i].search);
		assert_int_equal(lease_read(environment, AF_INET, &f.lease, &ignored, NULL), 0);
		resolver_add_plan(&r, yyjson_doc_get_root(plan));
		resolver_add_lease(&r, &f, yyjson_doc_get_root(overrides));
		text = resolver_text(&r);
		if (strcmp(text, rows[i].text) != 0)
			fail_msg("row %zu: %s", i, text);
		resolver_free(&r);
		yyjson_doc_free(plan);
		yyjson_doc_free(overrides);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
