/* The rules as the kernel took them, told by nft, which did not make them. In a network namespace
 * of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "net/ruleset.h"

enum { LISTING_MAX = 1 << 20, MANY = 2000 };

static const struct publish published[] = {
	{ PROTOCOL_TCP, 0, 8080, 8080, 0xac110002, 80 },
	{ PROTOCOL_UDP, 0x7f000001, 53, 53, 0xac110003, 53 },
	{ PROTOCOL_TCP, 0, 8000, 8010, 0xac110002, 8000 },
	{ PROTOCOL_SCTP, 0xc0a80101, 90, 91, 0xac110002, 190 },
};

static const struct rule_network networks[] = {
	{ .bridge = "berth0", .subnet = { 0xac110000, 16 }, .metadata = true },
	{ .bridge = "br-a", .subnet = { 0x0a630000, 24 } },
	{ .bridge = "br-in", .subnet = { 0x0a640000, 24 }, .internal = true },
};

static struct ruleset rules = {
	.networks = networks,
	.network_count = ARRAY_LEN(networks),
	.closed_forward = true,
	.published = published,
	.count = ARRAY_LEN(published),
};

static int new_network(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET);
}

static void list(const char *command, struct buf *out)
{
	FILE *f = popen(command, "r");

	assert_non_null(f);
	assert_int_equal(file_read_fd(fileno(f), LISTING_MAX, out, NULL), 0);
	assert_int_equal(pclose(f), 0);
}

static void nft_reads_what_was_meant(void **state)
{
	static const char *const lines[] = {
		"chain published {",
		"meta nfproto ipv4 tcp dport 8080 dnat ip to 172.17.0.2:80",
		"ip daddr 127.0.0.1 udp dport 53 dnat ip to 172.17.0.3",
		"meta nfproto ipv4 tcp dport 8000-8010 dnat ip to 172.17.0.2",
		"ip daddr 192.168.1.1 sctp dport 90 dnat ip to 172.17.0.2:190",
		"ip daddr 192.168.1.1 sctp dport 91 dnat ip to 172.17.0.2:191",
		"fib daddr type local jump published",
		"ip saddr 172.17.0.0/16 oifname != \"berth0\" masquerade",
		"ip saddr 172.17.0.0/16 oifname \"berth0\" ct status dnat masquerade",
		"ip saddr 127.0.0.0/8 oifname \"berth0\" masquerade",
		"type filter hook prerouting priority raw; policy accept;",
		"iifname != \"lo\" ip daddr 127.0.0.0/8 drop",
		"iifname \"berth0\" ip saddr != 0.0.0.0 ip saddr != 172.17.0.0/16 drop",
		"type filter hook forward priority filter; policy drop;",
		"oifname \"berth0\" ct state established,related accept",
		"oifname \"berth0\" ct status dnat accept",
		"iifname \"br-a\" ip saddr != 0.0.0.0 ip saddr != 10.99.0.0/24 drop",
		"ip saddr 10.99.0.0/24 oifname != \"br-a\" masquerade",
		/* forward, in its order: who is shut in, what comes in, what goes out */
		"iifname \"berth0\" oifname \"berth0\" accept\n"
		"\t\tiifname \"br-a\" oifname \"br-a\" accept\n"
		"\t\tiifname \"br-a\" ip daddr 169.254.169.254 drop\n"
		"\t\tiifname \"br-in\" oifname \"br-in\" accept\n"
		"\t\tiifname \"br-in\" ip daddr 169.254.169.254 drop\n"
		"\t\tiifname \"br-in\" drop\n"
		"\t\toifname \"br-in\" drop\n"
		"\t\toifname \"berth0\" ct state established,related accept\n"
		"\t\toifname \"berth0\" ct status dnat accept\n"
		"\t\toifname \"berth0\" drop\n"
		"\t\toifname \"br-a\" ct state established,related accept\n"
		"\t\toifname \"br-a\" ct status dnat accept\n"
		"\t\toifname \"br-a\" drop\n"
		"\t\tiifname \"berth0\" accept\n"
		"\t\tiifname \"br-a\" accept\n"
		"\t}",
		"iifname \"berth0\" jump from_containers",
		"iifname \"br-in\" jump from_containers",
		"reject with icmpx",
	};
	autobuf struct buf listing = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ruleset_apply(&rules, &e), 0);
	list("nft list table inet berth", &listing);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (!strstr(buf_text(&listing), lines[i]))
			fail_msg("nft does not list \"%s\" in:\n%s", lines[i], buf_text(&listing));
}

/* Applied again it is there once; other tables stay; fewer rules leave nothing of the former. */
static void it_replaces_itself_and_nothing_else(void **state)
{
	autobuf struct buf listing = { 0 };
	struct ruleset none = rules;
	struct err e = { 0 };

	(void)state;
	list("nft add table ip mine 2>&1", &listing);
	none.count = 0;
	none.closed_forward = false;
	assert_int_equal(ruleset_apply(&rules, &e), 0);
	assert_int_equal(ruleset_apply(&none, &e), 0);
	list("nft list ruleset", &listing);
	assert_non_null(strstr(buf_text(&listing), "table ip mine"));
	assert_null(strstr(buf_text(&listing), "8080"));
	assert_non_null(strstr(buf_text(&listing), "hook forward priority filter; policy accept;"));
}

static void many_ports_are_one_transaction(void **state)
{
	static struct publish many[MANY];
	struct ruleset large = rules;
	autobuf struct buf listing = { 0 };
	struct err e = { 0 };

	(void)state;
	for (uint16_t i = 0; i < MANY; i++)
		many[i] = (struct publish){ PROTOCOL_TCP, 0, i + 1, i + 1, 0xac110002, i + 2 };
	large.published = many;
	large.count = MANY;
	assert_int_equal(ruleset_apply(&large, &e), 0);
	list("nft list chain inet berth published", &listing);
	assert_non_null(strstr(buf_text(&listing), "tcp dport 2000 dnat ip to 172.17.0.2:2001"));
}

static void a_wire_is_guarded_for_as_long_as_it_is(void **state)
{
	static const uint8_t mac[6] = { 2, 0x42, 0x0a, 0x63, 0, 2 };
	static const char *const lines[] = {
		"type filter hook ingress device \"vb0\" priority filter; policy accept;",
		"@ll,48,48 != 0x2420a630002 drop", /* ether saddr */
		"meta protocol 8021q drop",
		"arp saddr ip != 10.99.0.2 arp saddr ip != 0.0.0.0 drop",
		"ip saddr != 10.99.0.2 ip saddr != 0.0.0.0 drop",
	};
	autobuf struct buf listing = { 0 }, other = { 0 }, gone = { 0 };
	struct err e = { 0 };

	(void)state;
	list("ip link add vb0 type veth peer name other 2>&1", &listing);
	assert_int_equal(ruleset_guard_wire("vb0", mac, 0x0a630002, &e), 0);
	list("nft list table netdev berth", &listing);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (!strstr(buf_text(&listing), lines[i]))
			fail_msg("nft does not list \"%s\" in:\n%s", lines[i], buf_text(&listing));
	assert_int_equal(ruleset_guard_wire("vb0", mac, 0x0a630009, &e), 0);
	list("nft list table netdev berth", &other);
	assert_null(strstr(buf_text(&other), "10.99.0.2"));
	list("ip link del vb0 2>&1", &listing);
	assert_int_equal(ruleset_unguard_wire("vb0", &e), 0);
	assert_int_equal(ruleset_unguard_wire("vb0", &e), 0);
	list("nft list table netdev berth", &gone);
	assert_null(strstr(buf_text(&gone), "chain"));
}

static void a_refusal_is_an_error(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ruleset_apply(&rules, &e), 0);
	assert_int_equal(unshare(CLONE_NEWUSER), 0); /* no right over this network any more */
	assert_int_equal(ruleset_apply(&rules, &e), -EPERM);
	assert_string_equal(e.text, "set the firewall's rules: Operation not permitted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nft_reads_what_was_meant, new_network),
		cmocka_unit_test_setup(it_replaces_itself_and_nothing_else, new_network),
		cmocka_unit_test_setup(many_ports_are_one_transaction, new_network),
		cmocka_unit_test_setup(a_wire_is_guarded_for_as_long_as_it_is, new_network),
		cmocka_unit_test_setup(a_refusal_is_an_error, new_network),
	};

	return cmocka_run_group_tests_name("net/ruleset", tests, NULL, NULL);
}
