/* Which definition a card belongs to. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "netup/plan.h"

static void load(const char *json, struct plan *out, int expected)
{
	char path[] = "/tmp/plan-test-XXXXXX";
	autoclose int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, strlen(json)), strlen(json));
	assert_int_equal(plan_load(path, out, NULL), expected);
	unlink(path);
}

#define LINKS(text) "{\"network\":{\"links\":[" text "]}}"
#define ETHERNET(rest) "{\"kind\":\"ethernet\"," rest "}"

static const struct {
	const char *json;
	const char *name, *first_name, *driver;
	const char *found; /* NULL: none */
} rows[] = {
	{ LINKS(ETHERNET("\"name\":\"eth0\"")), "eth0", "eth0", "", "eth0" },
	{ LINKS(ETHERNET("\"name\":\"eth0\"")), "eth1", "eth0", "", NULL },
	{ LINKS("{\"kind\":\"bond\",\"name\":\"eth0\"}"), "eth0", "eth0", "", NULL },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"name\":\"en*s0\"}")), "enp2s0", "enp2s0", "", "a" },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"name\":\"en*s0\"}")), "eth0", "eth0", "", NULL },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"macaddress\":\"52:54:00:00:00:01\"}")), "x", "x", "", "a" },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"macaddress\":\"52:54:00:00:00:02\"}")), "x", "x", "", NULL },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"macaddress\":\"nonsense\"}")), "x", "x", "", NULL },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"driver\":[\"e1000\",\"virtio*\"]}")), "x", "x",
	  "virtio_net", "a" },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"driver\":[\"e1000\"]}")), "x", "x", "virtio_net", NULL },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{}")), "a", "a", "", NULL },
	/* It has its new name, by which the pattern would not know it. */
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"name\":\"eth*\"},\"set-name\":\"lan0\"")), "lan0",
	  "eth3", "", "a" },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"name\":\"eth*\"},\"set-name\":\"lan0\"")), "lan0",
	  "lan0", "", "a" },
	{ LINKS(ETHERNET("\"name\":\"a\",\"match\":{\"name\":\"e*\"}") ","
		ETHERNET("\"name\":\"eth0\"")), "eth0", "eth0", "", "a" },
	{ "{\"network\":{\"links\":7}}", "eth0", "eth0", "", NULL },
	{ "{}", "eth0", "eth0", "", NULL },
};

static void test_cards(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct card card = { .name = rows[i].name, .first_name = rows[i].first_name,
				     .mac = { 0x52, 0x54, 0, 0, 0, 1 } };
		struct plan p;
		const char *found;

		snprintf(card.driver, sizeof(card.driver), "%s", rows[i].driver);
		load(rows[i].json, &p, 0);
		found = plan_text(plan_card(&p, &card), "name");
		if (strcmp(found, rows[i].found ? rows[i].found : "") != 0)
			fail_msg("row %zu: \"%s\"", i, found);
		plan_free(&p);
	}
}

static void test_dhcp(void **state)
{
	static const struct {
		const char *json;
		bool dhcp4;
		enum plan_dhcp6 dhcp6;
	} links[] = {
		{ "{}", false, DHCP6_IF_ASKED },
		{ "{\"dhcp4\":true,\"dhcp6\":true}", true, DHCP6_ON },
		{ "{\"dhcp6\":false}", false, DHCP6_OFF },
		{ "{\"accept-ra\":false}", false, DHCP6_OFF },
		{ "{\"dhcp4\":false,\"faulty\":true,\"dhcp6\":false}", true, DHCP6_IF_ASKED },
	};
	struct plan p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		yyjson_doc *doc = yyjson_read(links[i].json, strlen(links[i].json), 0);

		assert_int_equal(plan_dhcp4(yyjson_doc_get_root(doc)), links[i].dhcp4);
		assert_int_equal(plan_dhcp6(yyjson_doc_get_root(doc)), links[i].dhcp6);
		yyjson_doc_free(doc);
	}
	assert_true(plan_dhcp4(NULL));
	load("{", &p, -EBADMSG);
	assert_null(p.links);
	plan_free(&p);
	assert_int_equal(plan_load("/nowhere/config.json", &p, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cards),
		cmocka_unit_test(test_dhcp),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
