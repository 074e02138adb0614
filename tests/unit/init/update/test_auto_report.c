/* The report of automatic updates: written by the service, shown by `berth update status`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "update/auto_report.h"

enum { NOW_S = 1795500000 };

#define COMMON .level = "reboot", .channel = "https://u/s.json", .interval_ms = 3600000, .failure = "", \
	.lock_url = "", .lock_group = "", .lock_id = ""
#define HEAD "AUTOMATIC  reboot, from https://u/s.json\n"

static const struct {
	struct auto_report report;
	const char *shown;
} rows[] = {
	{ { COMMON, .answer = "", .version = "", .state = "unknown", .text = "waits", .next_check_s = NOW_S + 59 },
	  HEAD "  now      waits\n"
	  "  asked    not since this boot; again 2026-11-24T06:00:59 UTC (in 59 s)\n" },
	{ { COMMON, .checked_s = NOW_S - 60, .answer = "it has 1.2", .next_check_s = NOW_S + 3540,
	    .version = "1.2", .state = "window", .text = "waits for a window", .until_s = NOW_S + 13800 },
	  HEAD "  now      1.2: waits for a window, until 2026-11-24T09:50:00 UTC (in 3 h 50 min)\n"
	  "  asked    2026-11-24T05:59:00 UTC: it has 1.2; again 2026-11-24T06:59:00 UTC (in 59 min)\n" },
	{ { .level = "reboot", .channel = "https://u/s.json", .checked_s = NOW_S, .answer = "it has \"1\"",
	    .version = "1", .state = "lock", .text = "waits for the lock", .failure = "it was refused",
	    .lock_url = "https://l/", .lock_group = "g", .lock_id = "me", .lock = LOCK_ASKED },
	  HEAD "  now      1: waits for the lock\n"
	  "  asked    2026-11-24T06:00:00 UTC: it has \"1\"\n"
	  "  failed   it was refused\n"
	  "  lock     https://l/, group g, as me: asked for, not granted\n" },
};

static void print(const char *json, size_t len, char *out, size_t room)
{
	autofile FILE *to = fmemopen(out, room, "w");

	assert_non_null(to);
	auto_report_print(json, len, NOW_S, to);
}

static void test_what_a_person_sees(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autobuf struct buf json = { 0 };
		char shown[2048] = "";

		auto_report_json(&rows[i].report, &json);
		assert_true(buf_ok(&json));
		print(buf_text(&json), json.len, shown, sizeof(shown));
		assert_string_equal(shown, rows[i].shown);
	}
}

static void test_no_report_is_off(void **unused)
{
	char shown[256] = "";

	(void)unused;
	print("", 0, shown, sizeof(shown));
	assert_string_equal(shown, "AUTOMATIC  off (berth.update.automatic)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_person_sees),
		cmocka_unit_test(test_no_report_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
