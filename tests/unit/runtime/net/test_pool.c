/* Subnets, addresses, and who holds a port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/holder.h"
#include "net/pool.h"

static void addresses_are_read_and_written(void **state)
{
	static const struct { const char *text; int rc; uint32_t ip; } rows[] = {
		{ "172.17.0.1", 0, 0xac110001 },
		{ "0.0.0.0", 0, 0 },
		{ "255.255.255.255", 0, 0xffffffff },
		{ "256.0.0.1", -EINVAL, 0 },
		{ "1.2.3", -EINVAL, 0 },
		{ "1.2.3.4.5", -EINVAL, 0 },
		{ "1.2.3.4 ", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "::1", -EINVAL, 0 },
		{ "1.-2.3.4", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t ip = 0;
		char text[IPV4_TEXT_MAX];

		assert_int_equal(ipv4_parse(rows[i].text, &ip), rows[i].rc);
		assert_int_equal(ip, rows[i].ip);
		if (!rows[i].rc)
			assert_string_equal(ipv4_text(ip, text), rows[i].text);
	}
}

static const char routes[] =
	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	"eth0\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
	"eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
	"tun0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
	"berth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";

static void routes_are_read(void **state)
{
	struct subnet out[8];
	char text[SUBNET_TEXT_MAX];

	(void)state;
	assert_int_equal(subnets_from_routes(routes, "berth0", out, 8), 2);
	assert_string_equal(subnet_text(out[0], text), "10.0.2.0/24");
	assert_string_equal(subnet_text(out[1], text), "172.17.0.0/16");
	assert_int_equal(subnets_from_routes(routes, NULL, out, 8), 3);
	assert_int_equal(subnets_from_routes(routes, NULL, out, 1), 1);
	assert_int_equal(subnets_from_routes("", NULL, out, 8), 0);
	assert_int_equal(subnets_from_routes("head\nrubbish\n", NULL, out, 8), 0);
}

static void a_free_subnet_is_chosen(void **state)
{
	static const struct { struct subnet taken; const char *chosen; } rows[] = {
		{ { 0x0a000200, 24 }, "172.17.0.0/16" },
		{ { 0xac110000, 16 }, "172.18.0.0/16" },
		{ { 0xac110500, 24 }, "172.18.0.0/16" }, /* inside it */
		{ { 0xac000000, 8 }, "192.168.0.0/20" }, /* around all of them */
		{ { 0xac100000, 12 }, "192.168.0.0/20" },
	};
	struct subnet all = { 0, 0 }, out;
	char text[SUBNET_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(subnet_choose(&rows[i].taken, 1, &out), 0);
		assert_string_equal(subnet_text(out, text), rows[i].chosen);
	}
	assert_int_equal(subnet_choose(&all, 1, &out), -EADDRINUSE);
}

static void the_pool_gives_each_address_once(void **state)
{
	struct pool p;
	uint32_t ip;

	(void)state;
	assert_int_equal(pool_init(&p, (struct subnet){ 0xac110000, 29 }, 0), 0);
	assert_int_equal(pool_gateway(&p), 0xac110001);
	for (uint32_t want = 0xac110002; want <= 0xac110006; want++) {
		assert_int_equal(pool_take(&p, &ip), 0);
		assert_int_equal(ip, want);
	}
	assert_int_equal(pool_take(&p, &ip), -ENOSPC);
	pool_release(&p, 0xac110004);
	pool_release(&p, 0xac110001); /* the gateway stays reserved */
	pool_release(&p, 0x0a000001); /* not ours */
	assert_int_equal(pool_claim(&p, 0xac110003), -EADDRINUSE);
	assert_int_equal(pool_claim(&p, 0xac110001), -EADDRINUSE);
	assert_int_equal(pool_claim(&p, 0xac110000), -ERANGE);
	assert_int_equal(pool_claim(&p, 0xac110007), -ERANGE);
	assert_int_equal(pool_claim(&p, 0xac110102), -ERANGE);
	assert_int_equal(pool_claim(&p, 0xac110004), 0);
	assert_int_equal(pool_take(&p, &ip), -ENOSPC);
	pool_free(&p);
}

static void the_pool_refuses_what_is_no_subnet(void **state)
{
	struct pool p;

	(void)state;
	assert_int_equal(pool_init(&p, (struct subnet){ 0xac110000, 8 }, 0), -EINVAL);
	assert_int_equal(pool_init(&p, (struct subnet){ 0xac110000, 31 }, 0), -EINVAL);
	assert_int_equal(pool_init(&p, (struct subnet){ 0xac110001, 24 }, 0), -EINVAL);
	assert_int_equal(pool_init(&p, (struct subnet){ 0xac110000, 24 }, 0xac1100ff), -EINVAL);
	assert_int_equal(pool_init(&p, (struct subnet){ 0xac110000, 24 }, 0xac120001), -EINVAL);
}

/* Another gateway than the first address, and a part of the subnet to give from. */
static void a_range_is_kept_to(void **state)
{
	struct pool p;
	uint32_t ip;

	(void)state;
	assert_int_equal(pool_init(&p, (struct subnet){ 0x0a630000, 24 }, 0x0a6300fe), 0);
	assert_int_equal(pool_gateway(&p), 0x0a6300fe);
	assert_int_equal(pool_take(&p, &ip), 0);
	assert_int_equal(ip, 0x0a630001);
	assert_int_equal(subnet_parse("10.99.0.248/29", &p.range), 0);
	for (uint32_t want = 0x0a6300f8; want < 0x0a6300fe; want++) {
		assert_int_equal(pool_take(&p, &ip), 0);
		assert_int_equal(ip, want);
	}
	assert_int_equal(pool_take(&p, &ip), -ENOSPC);
	assert_int_equal(pool_claim(&p, 0x0a630032), 0); /* outside the range, when asked for */
	pool_free(&p);
}

static void subnets_are_read(void **state)
{
	static const struct { const char *text; int rc; struct subnet out; } rows[] = {
		{ "10.99.0.0/24", 0, { 0x0a630000, 24 } },
		{ "10.99.0.7/24", 0, { 0x0a630000, 24 } },
		{ "0.0.0.0/0", 0, { 0, 0 } },
		{ "10.99.0.0", -EINVAL, { 0, 0 } },
		{ "10.99.0.0/", -EINVAL, { 0, 0 } },
		{ "10.99.0.0/33", -EINVAL, { 0, 0 } },
		{ "10.99.0.0/-1", -EINVAL, { 0, 0 } },
		{ "10.99.0.0/24x", -EINVAL, { 0, 0 } },
		{ "1000.99.0.0.10.10/24", -EINVAL, { 0, 0 } },
		{ "fd00::/64", -EINVAL, { 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subnet s = { 0, 0 };

		assert_int_equal(subnet_parse(rows[i].text, &s), rows[i].rc);
		assert_memory_equal(&s, &rows[i].out, sizeof(s));
	}
}

static const char sockets[] =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
	"inode\n"
	"   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
	"4711 1 0 100 0 0 10 0\n"
	"   1: 0F02000A:0050 0202000A:9C40 01 00000000:00000000 02:000A1B2C 00000000     0        0 "
	"4712 2 0 20 4 30 10 -1\n";

static void sockets_are_found(void **state)
{
	(void)state;
	assert_int_equal(socket_inode(sockets, false, 22), 4711);
	assert_int_equal(socket_inode(sockets, false, 80), 0); /* connected, not listening */
	assert_int_equal(socket_inode(sockets, true, 80), 4712);
	assert_int_equal(socket_inode(sockets, false, 23), 0);
	assert_int_equal(socket_inode("", false, 22), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(routes_are_read),
		cmocka_unit_test(a_free_subnet_is_chosen),
		cmocka_unit_test(the_pool_gives_each_address_once),
		cmocka_unit_test(the_pool_refuses_what_is_no_subnet),
		cmocka_unit_test(a_range_is_kept_to),
		cmocka_unit_test(subnets_are_read),
		cmocka_unit_test(sockets_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
