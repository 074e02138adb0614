/* The bodies of /networks: what is asked is done or refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "api/body_network.h"
#include "base/cleanup.h"

/* As docker CLI 28 and compose 2.40 send it. */
static void what_clients_send(void **state)
{
	static const char cli[] =
		"{\"Driver\":\"bridge\",\"Scope\":\"\",\"IPAM\":{\"Driver\":\"default\",\"Options\":{},\"Config\":"
		"[{\"Subnet\":\"10.99.0.0/24\",\"IPRange\":\"10.99.0.128/25\",\"Gateway\":\"10.99.0.9\"}]},"
		"\"Internal\":true,\"Attachable\":true,\"Ingress\":false,\"ConfigOnly\":false,\"ConfigFrom\":null,"
		"\"Options\":{\"com.docker.network.driver.mtu\":\"1400\","
		"\"com.docker.network.bridge.name\":\"blue0\"},\"Labels\":{\"k\":\"v\"},\"Name\":\"n1\"}";
	static const char compose[] =
		"{\"Driver\":\"\",\"Scope\":\"\",\"IPAM\":null,\"Internal\":false,\"Attachable\":false,"
		"\"Ingress\":false,\"ConfigOnly\":false,\"ConfigFrom\":null,\"Options\":null,\"Labels\":{},"
		"\"Name\":\"cp_default\"}";
	struct err e = { 0 };
	struct network n;

	(void)state;
	assert_int_equal(body_network_read(&n, cli, sizeof(cli) - 1, &e), 0);
	assert_string_equal(n.name, "n1");
	assert_string_equal(n.subnet, "10.99.0.0/24");
	assert_string_equal(n.ip_range, "10.99.0.128/25");
	assert_string_equal(n.gateway, "10.99.0.9");
	assert_string_equal(n.link, "blue0");
	assert_int_equal(n.mtu, 1400);
	assert_true(n.internal && n.attachable);
	assert_string_equal(string_map_get(&n.labels, "k"), "v");
	network_clear(&n);
	assert_int_equal(body_network_read(&n, compose, sizeof(compose) - 1, &e), 0);
	assert_string_equal(n.name, "cp_default");
	assert_null(n.subnet);
	assert_false(n.internal);
	network_clear(&n);
}

static void what_cannot_be_done_is_refused(void **state)
{
	static const struct { const char *body, *why; int rc; } rows[] = {
		{ "", "the request's body is no JSON", -EINVAL },
		{ "[]", "expected an object", -EINVAL },
		{ "{\"Driver\":\"overlay\"}", "Driver: \"overlay\" is not supported", -ENOTSUP },
		{ "{\"Scope\":\"swarm\"}", "Scope: \"swarm\" is not supported", -ENOTSUP },
		{ "{\"Ingress\":true}", "Ingress is not supported", -ENOTSUP },
		{ "{\"EnableIPv4\":false}", "EnableIPv4: a network without IPv4", -ENOTSUP },
		{ "{\"IPAM\":{\"Driver\":\"x\"}}", "IPAM.Driver: \"x\" is not supported", -ENOTSUP },
		{ "{\"IPAM\":{\"Config\":[{},{}]}}", "IPAM.Config: one subnet is supported", -ENOTSUP },
		{ "{\"IPAM\":{\"Config\":[{\"AuxiliaryAddresses\":{\"a\":\"b\"}}]}}",
		  "IPAM.Config.AuxiliaryAddresses is not supported", -ENOTSUP },
		{ "{\"Options\":{\"x\":\"y\"}}", "Options.x is not supported", -ENOTSUP },
		{ "{\"Options\":{\"com.docker.network.driver.mtu\":\"big\"}}",
		  "com.docker.network.driver.mtu: invalid MTU \"big\"", -EINVAL },
		{ "{\"Options\":{\"com.docker.network.bridge.enable_icc\":\"false\"}}",
		  "com.docker.network.bridge.enable_icc: \"false\" is not supported", -ENOTSUP },
		{ "{\"Options\":{\"org.berth.metadata\":\"maybe\"}}", "neither true nor false", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		struct network n;

		assert_int_equal(body_network_read(&n, rows[i].body, strlen(rows[i].body), &e),
				 rows[i].rc);
		if (!strstr(e.text, rows[i].why))
			fail_msg("\"%s\" is not in \"%s\"", rows[i].why, e.text);
		network_clear(&n);
	}
}

static void connect_names_a_container(void **state)
{
	static const char cli[] =
		"{\"Container\":\"c2\",\"EndpointConfig\":{\"IPAMConfig\":{\"IPv4Address\":\"10.99.0.7\"},"
		"\"Links\":null,\"Aliases\":[\"db\"],\"MacAddress\":\"\",\"DriverOpts\":{},\"GwPriority\":0,"
		"\"NetworkID\":\"\",\"EndpointID\":\"\",\"Gateway\":\"\",\"IPAddress\":\"\",\"IPPrefixLen\":0,"
		"\"IPv6Gateway\":\"\",\"GlobalIPv6Address\":\"\",\"GlobalIPv6PrefixLen\":0,\"DNSNames\":null}}";
	struct body_connect b;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(body_connect_read(&b, cli, sizeof(cli) - 1, &e), 0);
	assert_string_equal(b.container, "c2");
	assert_string_equal(b.asked.ipv4_address, "10.99.0.7");
	assert_string_equal(b.asked.aliases.items[0], "db");
	body_connect_free(&b);
	assert_int_equal(body_connect_read(&b, "{}", 2, &e), -EINVAL);
	assert_string_equal(e.text, "the request names no container");
	body_connect_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clients_send),
		cmocka_unit_test(what_cannot_be_done_is_refused),
		cmocka_unit_test(connect_names_a_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
