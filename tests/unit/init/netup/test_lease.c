/* What a DHCP server may say, and what is made of it: rows of environment and JSON. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "netup/lease.h"
#include "netup/event.h"

#define IPV6 "interface=eth0", "BERTH_DHCP=6"
#define BASE "interface=eth0", "ip=10.0.2.15", "mask=24"
#define STATE "{\"link\":\"eth0\","
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
	{ { IPV6, "ipv6=2001:0db8:0000:0000:0000:0000:0000:0077", "dns=2001:0db8::0053 2001:db8::54",
	    "search=example.org", "lease=7200" },
	  STATE "\"address\":\"2001:db8::77/128\",\"routes\":[],\"dns\":[\"2001:db8::53\","
		"\"2001:db8::54\"],\"search\":[\"example.org\"],\"ntp\":[],\"lease_s\":7200}",
	  "" },
	{ { IPV6, "dns=2001:db8::53" },
	  STATE "\"routes\":[],\"dns\":[\"2001:db8::53\"],\"search\":[],\"ntp\":[]}", "" },
	{ { IPV6, "ntpsrv=2001:db8::123", "sntp=2001:db8::124 2001:db8::125" },
	  STATE "\"routes\":[],\"dns\":[],\"search\":[],\"ntp\":[\"2001:db8::123\",\"2001:db8::124\","
		"\"2001:db8::125\"]}", "" },
	{ { IPV6, "dns=2001:db8::53", "sntp=::1" },
	  STATE "\"routes\":[],\"dns\":[\"2001:db8::53\"],\"search\":[],\"ntp\":[]}", "option 31" },
	{ { IPV6, "router=10.0.0.1", "mtu=1400" }, NULL, "neither an address nor a name server" },
	{ { IPV6, "ipv6=fe80::1" }, NULL, "no usable address" },
	{ { IPV6, "ipv6=ff02::1" }, NULL, "no usable address" },
	{ { IPV6, "ipv6=::1" }, NULL, "no usable address" },
	{ { IPV6, "ipv6=10.0.0.5" }, NULL, "no usable address" },
	{ { IPV6, "ipv6=2001:db8::77", "dns=fe80::1" },
	  STATE "\"address\":\"2001:db8::77/128\",\"routes\":[],\"dns\":[],\"search\":[],"
		"\"ntp\":[]}", "the name servers" },
	{ { BASE, "lease=0" }, PLAIN, "the lease's time" },
	{ { BASE, "serverid=x" }, PLAIN, "the server's own address" },
};

static void describe_host(struct buf *out, const struct netlink_addr *a)
{
	char text[NETLINK_ADDR_TEXT_MAX];

	netlink_addr_text(a, text);
	buf_addf(out, "\"%.*s\"", (int)strcspn(text, "/"), text);
}

static void describe_hosts(struct buf *out, const char *key, const struct netlink_addr *list,
			   size_t count)
{
	buf_addf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < count; i++) {
		buf_adds(out, i ? "," : "");
		describe_host(out, &list[i]);
	}
	buf_adds(out, "]");
}

static void describe_routes(struct buf *out, const struct lease *l)
{
	char text[NETLINK_ADDR_TEXT_MAX];

	buf_adds(out, ",\"routes\":[");
	for (size_t i = 0; i < l->route_count; i++) {
		const struct lease_route *r = &l->routes[i];

		buf_addf(out, "%s{\"to\":\"%s\"", i ? "," : "",
			 r->to.family ? netlink_addr_text(&r->to, text) : "default");
		if (r->via.family) {
			buf_adds(out, ",\"via\":");
			describe_host(out, &r->via);
		}
		buf_adds(out, "}");
	}
	buf_adds(out, "]");
}

static void describe(struct buf *out, const struct lease *l)
{
	char text[NETLINK_ADDR_TEXT_MAX];

	buf_addf(out, "{\"link\":\"%s\"", l->link);
	if (l->address.family)
		buf_addf(out, ",\"address\":\"%s\"", netlink_addr_text(&l->address, text));
	describe_routes(out, l);
	describe_hosts(out, "dns", l->dns, l->dns_count);
	buf_adds(out, ",\"search\":[");
	for (size_t i = 0; i < l->search_count; i++)
		buf_addf(out, "%s\"%s\"", i ? "," : "", l->search[i]);
	buf_adds(out, "]");
	describe_hosts(out, "ntp", l->ntp, l->ntp_count);
	if (l->mtu)
		buf_addf(out, ",\"mtu\":%u", l->mtu);
	if (l->seconds)
		buf_addf(out, ",\"lease_s\":%u", l->seconds);
	buf_adds(out, "}");
}

static char dir[] = "/tmp/lease-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return path_remove_tree(AT_FDCWD, dir, NULL);
}

static int family_of(size_t row)
{
	const char *second = rows[row].environment[1];

	return second && strcmp(second, "BERTH_DHCP=6") == 0 ? AF_INET6 : AF_INET;
}

static void check_row(size_t i)
{
	autobuf struct buf ignored = { 0 }, text = { 0 }, again = { 0 };
	struct lease_file f = { .state = LEASE_BOUND, .valid = true }, back;
	struct err e = { "" };
	int family = family_of(i);
	int code = lease_read((char *const *)rows[i].environment, family, &f.lease, &ignored, &e);

	if ((code == 0) != (rows[i].json != NULL))
		fail_msg("row %zu: %d, \"%s\"", i, code, e.text);
	if (!strstr(code ? e.text : buf_text(&ignored), rows[i].said) ||
	    (!rows[i].said[0] && ignored.len))
		fail_msg("row %zu says \"%s\"", i, code ? e.text : buf_text(&ignored));
	if (code)
		return;
	describe(&text, &f.lease);
	if (strcmp(buf_text(&text), rows[i].json) != 0)
		fail_msg("row %zu: %s", i, buf_text(&text));
	/* What is kept is what is found again. */
	assert_int_equal(lease_save(dir, "eth0", family, &f, NULL), 0);
	lease_load(dir, "eth0", family, &back);
	assert_true(back.valid && back.state == LEASE_BOUND);
	describe(&again, &back.lease);
	assert_string_equal(buf_text(&again), buf_text(&text));
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(i);
}

/* A client's life: what its events leave in the file. */
static const struct {
	const char *event, *lease;
	enum lease_state state;
	bool valid;
} life[] = {
	{ "deconfig", NULL, LEASE_ASKING, false },
	{ "leasefail", NULL, LEASE_NO_ANSWER, false },
	{ "bound", "lease=3600", LEASE_BOUND, true },
	{ "deconfig", NULL, LEASE_ASKING, true },    /* another client begins: the lease holds */
	{ "leasefail", NULL, LEASE_NO_ANSWER, true },
	{ "renew", "lease=3600", LEASE_BOUND, true },
	{ "nak", NULL, LEASE_ASKING, false },
	{ "bound", "lease=1", LEASE_BOUND, false },  /* over before anybody looks */
	{ "deconfig", NULL, LEASE_ASKING, false },
	{ "bound", "lease=4294967295", LEASE_BOUND, true },
	{ "something-new", NULL, LEASE_BOUND, true },
};

static void test_events(void **state)
{
	(void)state;
	lease_remove(dir, "eth0", AF_INET);
	for (size_t i = 0; i < ARRAY_LEN(life); i++) {
		const char *environment[] = { BASE, "BERTH_DHCP=4", life[i].lease, NULL };
		struct lease_file f;

		assert_int_equal(event_handle(dir, life[i].event, (char *const *)environment), 0);
		lease_load(dir, "eth0", AF_INET, &f);
		if (f.state != life[i].state || f.valid != life[i].valid)
			fail_msg("row %zu, %s: state %d, %s", i, life[i].event, (int)f.state,
				 f.valid ? "a lease" : "no lease");
	}
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
	assert_int_equal(lease_read(environment, AF_INET, &lease, &ignored, NULL), 0);
	assert_int_equal(lease.route_count, LEASE_ROUTES_MAX);
	assert_int_equal(lease.dns_count, LEASE_HOSTS_MAX);
	assert_int_equal(lease.search_count, LEASE_NAMES_MAX);
	assert_int_equal(ignored.len, 0);
	memset(routes + 13, '1', sizeof(routes) - 14);
	assert_int_equal(lease_read(environment, AF_INET, &lease, &ignored, NULL), 0);
	assert_non_null(strstr(buf_text(&ignored), "option 121"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests_name("lease", tests, make_dir, remove_dir);
}
