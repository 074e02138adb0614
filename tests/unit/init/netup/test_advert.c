/* What routers advertise: rows of an option's bytes and the words that are made of it; and which of
 * several hold at which time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "netup/advert.h"

#define TIME "\0\0\0\0\7\10" /* free bytes, 1800 s */
#define SERVER_53 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x53"
#define SERVER_54 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x54"
#define LINK_LOCAL "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define OPTION(bytes) { (const uint8_t *)(bytes), sizeof(bytes) - 1 }

static const struct {
	struct {
		const uint8_t *bytes;
		size_t size;
	} option;
	const char *words; /* NULL: refused */
} rows[] = {
	{ OPTION("\31\3" TIME SERVER_53), "dns=2001:db8::53" },
	{ OPTION("\31\5" TIME SERVER_53 SERVER_54), "dns=2001:db8::53 2001:db8::54" },
	{ OPTION("\31\5" TIME LINK_LOCAL SERVER_54), "dns=2001:db8::54" },
	{ OPTION("\31\3" TIME LINK_LOCAL), "dns=" },
	{ OPTION("\31\1" TIME), NULL },
	{ OPTION("\31\4" TIME SERVER_53 "\0\0\0\0\0\0\0\0"), NULL },
	{ OPTION("\31\3" TIME "\x20\x01"), NULL }, /* shorter than it says */
	{ OPTION("\37\3" TIME "\7example\3org\0\0\0\0"), "search= example.org" },
	{ OPTION("\37\3" TIME "\1a\3org\0\1b\3org\0\0\0"), "search= a.org b.org" },
	{ OPTION("\37\2" TIME "\7example"), NULL },       /* no end */
	{ OPTION("\37\2" TIME "\7exam\0\0\0"), NULL },    /* a zero within a name */
	{ OPTION("\37\2" TIME "\100example"), NULL },     /* a label of 64 bytes */
	{ OPTION("\37\2" TIME "\300\0\0\0\0\0\0\0"), NULL }, /* a pointer: none in this option */
	{ OPTION("\37\2" TIME "\1a\0\0\1b\0\0"), NULL },  /* something behind the end */
	{ OPTION("\37\2" TIME "\3a b\0\0\0\0"), NULL },
	{ OPTION("\37\2" TIME "\3a\nb\0\0\0\0"), NULL },
	{ OPTION("\37\1" TIME), NULL },
	{ OPTION("\3\3" TIME SERVER_53), NULL },
	{ OPTION("\31"), NULL },
	{ OPTION(""), NULL },
};

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf out = { 0 };
		int code = advert_read(rows[i].option.bytes, rows[i].option.size, &out);

		if (rows[i].words ? code != 0 || strcmp(buf_text(&out), rows[i].words) != 0 : code == 0)
			fail_msg("row %zu: %d, \"%s\"", i, code, buf_text(&out));
	}
}

static bool note(struct adverts *a, uint8_t last, uint32_t seconds, int64_t now_ms)
{
	uint8_t option[24] = { 25, 3, [6] = (uint8_t)(seconds >> 8), [7] = (uint8_t)seconds,
			       [8] = 0x20, [9] = 1, [10] = 0xd, [11] = 0xb8, [23] = last };

	if (seconds == UINT32_MAX)
		memset(option + 4, 0xff, 4);
	return advert_note(a, option, sizeof(option), now_ms);
}

static void test_each_has_its_time(void **state)
{
	struct adverts a = { .count = 0 };
	struct lease_file f;

	(void)state;
	assert_true(note(&a, 1, 10, 0));
	assert_true(note(&a, 2, 20, 0));
	advert_collect(&a, "eth0", 1000, &f);
	assert_true(f.valid);
	assert_int_equal(f.lease.dns_count, 2);
	assert_int_equal(f.lease.dns[1].bytes[15], 2);
	assert_int_equal(f.until_ms, 10000);
	assert_false(note(&a, 1, 10, 5000)); /* renewed: nothing is new */
	advert_collect(&a, "eth0", 14999, &f);
	assert_int_equal(f.lease.dns_count, 2);
	advert_collect(&a, "eth0", 15000, &f);
	assert_int_equal(f.lease.dns_count, 1);
	assert_true(note(&a, 2, 0, 16000)); /* taken back */
	assert_false(note(&a, 2, 0, 16000));
	advert_collect(&a, "eth0", 16000, &f);
	assert_false(f.valid);
	assert_true(note(&a, 3, UINT32_MAX, 16000));
	advert_collect(&a, "eth0", INT64_MAX - 1, &f);
	assert_true(f.valid);
	assert_int_equal(f.until_ms, 0);
	advert_free(&a);
}

static void test_many_push_out_the_one_that_ends_first(void **state)
{
	struct adverts a = { .count = 0 };
	struct lease_file f;

	(void)state;
	for (uint8_t i = 0; i <= ADVERT_OPTIONS_MAX; i++)
		note(&a, i + 1, 100 - i, 0);
	assert_int_equal(a.count, ADVERT_OPTIONS_MAX);
	advert_collect(&a, "eth0", 0, &f);
	assert_int_equal(f.lease.dns_count, LEASE_HOSTS_MAX);
	assert_int_equal(f.lease.dns[0].bytes[15], 1);
	for (size_t i = 0; i < a.count; i++)
		assert_int_not_equal(a.options[i].bytes[23], ADVERT_OPTIONS_MAX);
	advert_free(&a);
}

static void test_what_is_no_name_costs_only_itself(void **state)
{
	static const uint8_t nonsense[] = "\31\3" TIME "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"; /* ::1 */
	static const uint8_t broken[] = "\37\2" TIME "\7example";
	struct adverts a = { .count = 0 };
	struct lease_file f;

	(void)state;
	advert_note(&a, nonsense, sizeof(nonsense) - 1, 0);
	advert_note(&a, broken, sizeof(broken) - 1, 0);
	note(&a, 7, 10, 0);
	advert_collect(&a, "eth0", 0, &f);
	assert_int_equal(f.lease.dns_count, 1);
	assert_int_equal(f.lease.search_count, 0);
	advert_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_each_has_its_time),
		cmocka_unit_test(test_many_push_out_the_one_that_ends_first),
		cmocka_unit_test(test_what_is_no_name_costs_only_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
