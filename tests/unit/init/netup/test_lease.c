/* What a DHCP server may say, and what is made of it: rows of environment and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "netup/lease.h"
#include "netup/state.h"

#define BASE "interface=eth0", "ip=10.0.2.15", "mask=24"
#define STATE "{\"link\":\"eth0\",\"state\":\"bound\","
#define PLAIN \
	STATE "\"address\":\"10.0.2.15/24\",\"routes\":[],\"dns\":[],\"search\":[],\"ntp\":[]}"

enum { VARIABLES_MAX = 12 };

static const struct {
	const char *environment[VARIABLES_MAX];
	const char *json;    /* NULL: refused */
	const char *said;    /* a part of what is said */
} rows[] = {
	{ { BASE }, PLAIN, "" },
	{ { "interface=eth0", "ip=10.0.2.15", "subnet=255.255.255.0" }, PLAIN, "" },
	{ { "interface=eth0", "ip=192.168.7.9" },
	  STATE "\"address\":\"192.168.7.9/24\",\"routes\":[],\"dns\":[],\"search\":[],\"ntp\":[]}",
	  "" },
	{ { BASE, "router=10.0.2.2 10.0.2.3", "dns=10.0.2.3 192.0.2.53", "domain=example.org",
	    "search=example.org lab.example.org", "ntpsrv=192.0.2.1", "mtu=1400", "lease=3600",
	    "serverid=10.0.2.2" },
	  STATE "\"address\":\"10.0.2.15/24\",\"routes\":[{\"to\":\"default\",\"via\":\"10.0.2.2\"}],"
		"\"dns\":[\"10.0.2.3\",\"192.0.2.53\"],"
		"\"search\":[\"example.org\",\"lab.example.org\"],\"ntp\":[\"192.0.2.1\"],"
		"\"mtu\":1400,\"lease_s\":3600}",
	  "" },
	/* RFC 3442: the routers do not count beside option 121. */
	{ { BASE, "router=10.0.2.9",
	    "staticroutes=192.0.2.0/24 10.0.2.3 10.9.0.0/16 0.0.0.0 0.0.0.0/0 10.0.2.2" },
	  STATE "\"address\":\"10.0.2.15/24\",\"routes\":[{\"to\":\"192.0.2.0/24\",\"via\":"
		"\"10.0.2.3\"},{\"to\":\"10.9.0.0/16\"},{\"to\":\"default\",\"via\":\"10.0.2.2\"}],"
		"\"dns\":[],\"search\":[],\"ntp\":[]}",
	  "" },
	{ { "interface=eth0" }, NULL, "no usable address" },
	{ { "interface=eth0", "ip=0.0.0.0", "mask=24" }, NULL, "no usable address" },
	{ { "interface=eth0", "ip=127.0.0.1", "mask=8" }, NULL, "no usable address" },
	{ { "interface=eth0", "ip=224.0.0.1", "mask=8" }, NULL, "no usable address" },
	{ { "interface=eth0", "ip=10.0.2.15/24" }, NULL, "no usable address" },
	{ { "interface=eth0", "ip=fd00::1", "mask=64" }, NULL, "no usable address" },
	{ { "interface=eth0", "ip=10.0.2.15;reboot" }, NULL, "no usable address" },
	{ { "interface=eth0", "ip=10.0.2.15", "mask=33" }, NULL, "no usable network mask" },
	{ { "interface=eth0", "ip=10.0.2.15", "mask=0" }, NULL, "no usable network mask" },
	{ { "interface=eth0", "ip=10.0.2.15", "subnet=255.0.255.0" }, NULL, "network mask" },
	{ { "interface=eth0", "ip=10.0.2.15", "subnet=0.0.0.0" }, NULL, "network mask" },
	{ { "ip=10.0.2.15" }, NULL, "no network link" },
	{ { "interface=../../etc", "ip=10.0.2.15" }, NULL, "no network link" },
	{ { "interface=a-name-that-is-too-long", "ip=10.0.2.15" }, NULL, "no network link" },
	{ { BASE, "domain=a b;c" }, PLAIN, "the domain" },
	{ { BASE, "domain=x\noptions rotate" }, PLAIN, "the domain" },
	{ { BASE, "domain=$(reboot)" }, PLAIN, "the domain" },
	{ { BASE, "search=good.example -bad" }, PLAIN, "the search domains" },
	{ { BASE, "dns=10.0.2.3 nonsense" }, PLAIN, "the name servers" },
	{ { BASE, "dns=127.0.0.1" }, PLAIN, "the name servers" },
	{ { BASE, "mtu=68" }, PLAIN, "the MTU" },
	{ { BASE, "mtu=1500x" }, PLAIN, "the MTU" },
	{ { BASE, "mtu=99999999999999999999" }, PLAIN, "the MTU" },
	{ { BASE, "router=0.0.0.0" }, PLAIN, "the router" },
	{ { BASE, "staticroutes=192.0.2.0/24" }, PLAIN, "option 121" },
	{ { BASE, "staticroutes=192.0.2.0/99 10.0.2.2" }, PLAIN, "option 121" },
	{ { BASE, "staticroutes=127.0.0.0/8 10.0.2.2" }, PLAIN, "option 121" },
	{ { BASE, "staticroutes=0.0.0.0/0 0.0.0.0" }, PLAIN, "option 121" },
	{ { BASE, "lease=0" }, PLAIN, "the lease's time" },
	{ { BASE, "serverid=x" }, PLAIN, "the server's own address" },
};

static void check_row(size_t i)
{
	autobuf struct buf ignored = { 0 }, json = { 0 };
	struct err e = { "" };
	struct lease lease;
	int code = lease_read((char *const *)rows[i].environment, &lease, &ignored, &e);

	if ((code == 0) != (rows[i].json != NULL))
		fail_msg("row %zu: %d, \"%s\"", i, code, e.text);
	if (!strstr(code ? e.text : buf_text(&ignored), rows[i].said) ||
	    (!rows[i].said[0] && ignored.len))
		fail_msg("row %zu says \"%s\"", i, code ? e.text : buf_text(&ignored));
	if (code)
		return;
	state_text("eth0", LINK_BOUND, &lease, &json);
	if (strcmp(buf_text(&json), rows[i].json) != 0)
		fail_msg("row %zu: %s", i, buf_text(&json));
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(i);
}

/* More of everything than there is room for. */
static void test_bounds(void **state)
{
	static char routes[8192] = "staticroutes=", hosts[2048] = "dns=", names[2048] = "search=";
	char *environment[] = { "interface=eth0", "ip=10.0.0.1", routes, hosts, names, NULL };
	autobuf struct buf ignored = { 0 };
	struct lease lease;

	(void)state;
	for (int i = 0; i < 100; i++) {
		sprintf(routes + strlen(routes), "10.%d.0.0/16 10.0.0.2 ", i);
		sprintf(hosts + strlen(hosts), "10.0.0.%d ", i + 1);
		sprintf(names + strlen(names), "n%d.example ", i);
	}
	assert_int_equal(lease_read(environment, &lease, &ignored, NULL), 0);
	assert_int_equal(lease.route_count, LEASE_ROUTES_MAX);
	assert_int_equal(lease.dns_count, LEASE_HOSTS_MAX);
	assert_int_equal(lease.search_count, LEASE_NAMES_MAX);
	assert_int_equal(ignored.len, 0);
	memset(routes + 13, '1', sizeof(routes) - 14);
	assert_int_equal(lease_read(environment, &lease, &ignored, NULL), 0);
	assert_non_null(strstr(buf_text(&ignored), "option 121"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
