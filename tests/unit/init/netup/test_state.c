/* The files of /run/berth/net and the resolver that is made of them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "netup/state.h"

static char run[] = "/tmp/state-test-XXXXXX";

static int make_run(void **state)
{
	(void)state;
	return mkdtemp(run) ? 0 : -1;
}

static int remove_run(void **state)
{
	(void)state;
	return path_remove_tree(AT_FDCWD, run, NULL);
}

static void assert_file(const char *name, const char *text)
{
	autobuf struct buf found = { 0 };
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", run, name);
	assert_int_equal(file_read_at(AT_FDCWD, path, 65536, &found, NULL), 0);
	assert_string_equal(buf_text(&found), text);
}

static void bind_link(const char *link, const char *address, const char *dns, const char *domain)
{
	char ip[64], servers[128], search[128], name[64];
	char *environment[] = { name, ip, servers, search, NULL };
	autobuf struct buf ignored = { 0 };
	struct lease lease;

	snprintf(name, sizeof(name), "interface=%s", link);
	snprintf(ip, sizeof(ip), "ip=%s", address);
	snprintf(servers, sizeof(servers), "dns=%s", dns);
	snprintf(search, sizeof(search), "search=%s", domain);
	assert_int_equal(lease_read(environment, &lease, &ignored, NULL), 0);
	assert_int_equal(state_write(run, link, LINK_BOUND, &lease, NULL), 0);
}

static void test_resolver(void **state)
{
	(void)state;
	assert_int_equal(state_read(run, "eth0"), LINK_NO_CARRIER);
	assert_int_equal(state_write(run, "eth0", LINK_ASKING, NULL, NULL), 0);
	assert_int_equal(state_read(run, "eth0"), LINK_ASKING);
	assert_file("net/eth0.json", "{\"link\":\"eth0\",\"state\":\"asking\"}\n");
	assert_file("resolv.conf", "");
	bind_link("eth1", "10.1.0.5", "10.1.0.1 10.0.0.1", "b.example a.example");
	assert_file("resolv.conf",
		    "nameserver 10.1.0.1\nnameserver 10.0.0.1\nsearch b.example a.example\n");
	/* The first link's come first, each once, three at most. */
	bind_link("eth0", "10.0.0.5", "10.0.0.1 10.0.0.2", "a.example");
	assert_int_equal(state_read(run, "eth0"), LINK_BOUND);
	assert_file("resolv.conf", "nameserver 10.0.0.1\nnameserver 10.0.0.2\n"
				   "nameserver 10.1.0.1\nsearch a.example b.example\n");
	assert_int_equal(state_remove(run, "eth0", NULL), 0);
	assert_int_equal(state_remove(run, "eth0", NULL), 0);
	assert_file("resolv.conf",
		    "nameserver 10.1.0.1\nnameserver 10.0.0.1\nsearch b.example a.example\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_resolver, make_run, remove_run),
	};

	return cmocka_run_group_tests_name("netup state", tests, NULL, NULL);
}
