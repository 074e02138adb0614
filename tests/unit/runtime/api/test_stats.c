/* From the kernel's files to docker's JSON; which events are asked for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/event_filters.h"
#include "api/stats.h"
#include "base/cleanup.h"

static void processor(void **state)
{
	static const char cpu_stat[] = "usage_usec 300\nuser_usec 200\nsystem_usec 100\n"
				       "nr_periods 7\nnr_throttled 2\nthrottled_usec 5\n";
	static const char proc_stat[] = "cpu  10 20 30 40 5 6 7 8 900 900\ncpu0 1 1 1 1\n";
	autobuf struct buf b = { 0 };
	struct stats_cpu c = { 0 };

	(void)state;
	stats_parse_cpu(cpu_stat, &c);
	stats_parse_system(proc_stat, 100, &c);
	assert_int_equal(c.system_ns, 126ull * 10000000);
	stats_add_cpu(&b, NULL, &c, 2);
	assert_string_equal(buf_text(&b),
		"{\"cpu_usage\":{\"total_usage\":300000,\"usage_in_kernelmode\":100000,"
		"\"usage_in_usermode\":200000},\"system_cpu_usage\":1260000000,\"online_cpus\":2,"
		"\"throttling_data\":{\"periods\":7,\"throttled_periods\":2,\"throttled_time\":5000}}");
	stats_parse_system("nothing", 100, &c);
	assert_int_equal(c.system_ns, 0);
}

static void disks(void **state)
{
	struct stats s = { 0 };

	(void)state;
	stats_parse_io("254:16 rbytes=10 wbytes=20 rios=3 wios=4 dbytes=0 dios=0\nodd line\n7:0 \n"
		       "8:0 rbytes=1 wbytes=2 rios=3 wios=4", &s);
	assert_int_equal(s.device_count, 2);
	assert_int_equal(s.devices[0].minor, 16);
	assert_int_equal(s.devices[0].write_bytes, 20);
	assert_int_equal(s.devices[1].major, 8);
}

static void memory_and_network(void **state)
{
	autobuf struct buf memory = { 0 }, net = { 0 };

	(void)state;
	stats_add_memory(&memory, "anon 5\nfile 18446744073709551615\nodd\ninactive_file 7\n");
	assert_string_equal(buf_text(&memory), "\"stats\":{\"anon\":5,\"file\":-1,\"inactive_file\":7}");
	stats_add_networks(&net, "Inter-|   Receive  |  Transmit\n face |bytes packets\n"
			   "    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n"
			   "  eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n");
	assert_string_equal(buf_text(&net), "\"networks\":{\"eth0\":{\"rx_bytes\":1,\"rx_packets\":2,"
			    "\"rx_errors\":3,\"rx_dropped\":4,\"tx_bytes\":5,\"tx_packets\":6,"
			    "\"tx_errors\":7,\"tx_dropped\":8}}");
}

static void events(void **state)
{
	static const struct {
		const char *json;
		int rc;
		bool match;
	} rows[] = {
		{ NULL, 0, true }, { "", 0, true }, { "{}", 0, true },
		{ "{\"event\":[\"exec_create\"]}", 0, true }, { "{\"event\":[\"exec_c\"]}", 0, false },
		{ "{\"event\":[\"die\",\"exec_create: sh\"]}", 0, true },
		{ "{\"container\":[\"web\"]}", 0, true }, { "{\"container\":[\"0123\"]}", 0, true },
		{ "{\"container\":{\"db\":true}}", 0, false },
		{ "{\"image\":[\"nginx\"]}", 0, true }, { "{\"image\":[\"ngin\"]}", 0, false },
		{ "{\"label\":[\"a=1\",\"b\"]}", 0, true }, { "{\"label\":[\"a=1\",\"c\"]}", 0, false },
		{ "{\"type\":[\"container\"],\"scope\":[\"local\"]}", 0, true },
		{ "{\"type\":[\"image\"]}", 0, false }, { "{\"volume\":[\"web\"]}", 0, false },
		{ "{\"service\":[\"x\"]}", 0, false },
		{ "{\"colour\":[\"red\"]}", -EINVAL, false }, { "[", -EINVAL, false },
		{ "{\"type\":3}", -EINVAL, false },
	};
	struct string_pair pairs[] = {
		{ (char *)"a", (char *)"1" }, { (char *)"b", (char *)"" },
		{ (char *)"image", (char *)"nginx:1.27" }, { (char *)"name", (char *)"web" },
	};
	const struct event ev = {
		.type = (char *)"container", .action = (char *)"exec_create: sh",
		.id = (char *)"0123456789ab", .attributes = { pairs, ARRAY_LEN(pairs) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		yyjson_doc *doc;
		struct err e = { 0 };

		assert_int_equal(event_filters_parse(&doc, rows[i].json, &e), rows[i].rc);
		if (!rows[i].rc && (!doc || event_filters_match(doc, &ev)) != rows[i].match)
			fail_msg("%s", rows[i].json);
		yyjson_doc_free(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processor),
		cmocka_unit_test(disks),
		cmocka_unit_test(memory_and_network),
		cmocka_unit_test(events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
