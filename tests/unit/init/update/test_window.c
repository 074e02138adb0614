/* Maintenance windows: days, midnight, the clock's leaps; what the configuration says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "update/auto_settings.h"

#define WINDOW(days, start, minutes, zone) \
	"{" days "\"start_minute\":" #start ",\"length_ms\":" #minutes "0000,\"timezone\":\"" zone "\"}"
#define SAT "\"days\":[\"sat\"],"
#define SUN "\"days\":[\"sun\"],"
#define NIGHT WINDOW(SAT, 1410, 12, "UTC") /* Saturday 23:30, two minutes (in units of 10 s) */

/* Times are UTC. 2026-11-28 is a Saturday; Europe/Berlin leaps on 2026-03-29 and 2026-10-25 at
 * 01:00 UTC; New York on 2026-03-08 at 07:00 UTC. */
static const struct {
	const char *name, *windows, *now;
	bool open;
	const char *until;
} rows[] = {
	{ "none", "", "2026-11-25 12:00", true, NULL },
	{ "every day, before", WINDOW("", 120, 360, "UTC"), "2026-11-25 01:59", false, "2026-11-25 02:00" },
	{ "every day, at its start", WINDOW("", 120, 360, "UTC"), "2026-11-25 02:00", true, "2026-11-25 03:00" },
	{ "every day, at its end", WINDOW("", 120, 360, "UTC"), "2026-11-25 03:00", false, "2026-11-26 02:00" },
	{ "a day, from Wednesday", NIGHT, "2026-11-25 12:00", false, "2026-11-28 23:30" },
	{ "a day, just over", NIGHT, "2026-11-28 23:32", false, "2026-12-05 23:30" },
	{ "over midnight", WINDOW(SAT, 1410, 720, "UTC"), "2026-11-29 01:00", true, "2026-11-29 01:30" },
	{ "over midnight, not the next day", WINDOW(SAT, 1410, 720, "UTC"), "2026-11-30 00:10", false,
	  "2026-12-05 23:30" },
	{ "a whole day", WINDOW(SUN, 0, 8640, "UTC"), "2026-11-29 23:59", true, "2026-11-30 00:00" },
	{ "winter", WINDOW("", 120, 360, "Europe/Berlin"), "2026-11-25 00:30", false, "2026-11-25 01:00" },
	{ "summer", WINDOW("", 120, 360, "Europe/Berlin"), "2026-07-01 00:30", true, "2026-07-01 01:00" },
	{ "the zone's day is another", WINDOW(SUN, 60, 360, "Asia/Tokyo"), "2026-11-28 16:30", true,
	  "2026-11-28 17:00" },
	{ "west of us", WINDOW(SAT, 1380, 720, "America/New_York"), "2026-11-29 05:00", true,
	  "2026-11-29 06:00" },
	{ "an hour that is left out", WINDOW(SUN, 150, 360, "Europe/Berlin"), "2026-03-29 00:59", false,
	  "2026-03-29 01:00" },
	{ "... is open for its whole length", WINDOW(SUN, 150, 360, "Europe/Berlin"), "2026-03-29 01:59",
	  true, "2026-03-29 02:00" },
	{ "an hour that comes twice, first", WINDOW(SUN, 150, 180, "Europe/Berlin"), "2026-10-25 00:30",
	  true, "2026-10-25 01:00" },
	{ "... second", WINDOW(SUN, 150, 180, "Europe/Berlin"), "2026-10-25 01:30", false,
	  "2026-11-01 01:30" },
	{ "open over the leap back", WINDOW(SUN, 60, 1080, "Europe/Berlin"), "2026-10-25 01:59", true,
	  "2026-10-25 02:00" },
	{ "open over the leap ahead", WINDOW(SUN, 60, 1080, "America/New_York"), "2026-03-08 08:59", true,
	  "2026-03-08 09:00" },
	{ "half an hour's leap", WINDOW(SUN, 105, 360, "Australia/Lord_Howe"), "2026-04-04 14:44", false,
	  "2026-04-04 14:45" },
	{ "two, the next one", NIGHT "," WINDOW("\"days\":[\"fri\",\"mon\"],", 0, 360, "UTC"),
	  "2026-11-25 12:00", false, "2026-11-27 00:00" },
	{ "two that overlap", WINDOW("", 120, 360, "UTC") "," WINDOW("", 150, 360, "UTC"),
	  "2026-11-25 02:45", true, "2026-11-25 03:30" },
	{ "another name of a zone", WINDOW("", 120, 360, "GB"), "2026-07-01 00:59", false,
	  "2026-07-01 01:00" },
	{ "the machine's zone", "{\"start_minute\":120,\"length_ms\":3600000}", "2026-11-25 00:00", false,
	  "2026-11-25 07:00" },
};

static int64_t seconds(const char *text)
{
	struct tm tm = { 0 };

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
	return timegm(&tm);
}

static void parse(const char *windows, struct auto_settings *out)
{
	char json[2048];
	int len = snprintf(json, sizeof(json), "{\"timezone\":\"America/New_York\",\"berth\":{\"update\":{"
			   "\"windows\":[%s]}}}", windows);

	auto_settings_parse(json, (size_t)len, out);
}

static void test_when_a_window_is_open(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct auto_settings s;
		struct window_look look;
		struct err e = { "" };
		int64_t until = rows[i].until ? seconds(rows[i].until) : 0;

		parse(rows[i].windows, &s);
		if (windows_look(&s.windows, seconds(rows[i].now), &look, &e) < 0)
			fail_msg("%s: %s", rows[i].name, e.text);
		if (look.open != rows[i].open || look.until_s != until)
			fail_msg("%s: open %d, until %lld, not %lld", rows[i].name, look.open,
				 (long long)look.until_s, (long long)until);
	}
}

/* Looked at every ten minutes of a year, each window is open as often and as long as it says. */
static void test_a_year(void **unused)
{
	struct auto_settings s;
	struct window_look look;
	bool was = false;
	int openings = 0, minutes = 0;

	(void)unused;
	parse(WINDOW(SUN, 150, 360, "Europe/Berlin"), &s);
	for (int64_t t = seconds("2026-01-01 00:00"); t < seconds("2027-01-01 00:00"); t += 600) {
		assert_int_equal(windows_look(&s.windows, t, &look, NULL), 0);
		openings += look.open && !was;
		minutes += look.open ? 10 : 0;
		assert_true(look.until_s > t && look.until_s <= t + 8 * 86400);
		was = look.open;
	}
	assert_int_equal(openings, 52);
	assert_int_equal(minutes, 52 * 60);
}

static void test_a_zone_that_is_not_there_opens_nothing(void **unused)
{
	struct auto_settings s;
	struct window_look look;
	struct err e = { "" };

	(void)unused;
	parse(WINDOW("", 0, 8640, "Mars/Base"), &s);
	assert_int_equal(windows_look(&s.windows, 0, &look, &e), -ENOENT);
	assert_string_equal(e.text, "there is no time zone \"Mars/Base\"");
}

static void test_settings(void **unused)
{
	static const char all[] = "{\"ntp\":{\"enabled\":false},\"berth\":{\"update\":{\"automatic\":\"reboot\","
		"\"interval_ms\":20000,\"rollout_wariness_ppm\":250000,\"windows\":[" NIGHT "],"
		"\"fleet_lock\":{\"url\":\"https://lock/\"}}}}";
	struct auto_settings s;

	(void)unused;
	auto_settings_parse("", 0, &s);
	assert_int_equal(s.level, AUTO_OFF);
	assert_int_equal(s.interval_ms, 3600000);
	assert_int_equal(s.wariness_ppm, ROLLOUT_OWN);
	assert_true(s.time_servers);
	assert_string_equal(s.lock.url, "");
	auto_settings_parse(all, strlen(all), &s);
	assert_int_equal(s.level, AUTO_REBOOT);
	assert_int_equal(s.interval_ms, 20000);
	assert_int_equal(s.wariness_ppm, 250000);
	assert_false(s.time_servers);
	assert_int_equal(s.windows.count, 1);
	assert_int_equal(s.windows.rows[0].days, 1 << 5);
	assert_string_equal(s.lock.url, "https://lock/");
	assert_string_equal(s.lock.group, "default");
}

int main(void)
{
	static char zones[PATH_MAX];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when_a_window_is_open),
		cmocka_unit_test(test_a_year),
		cmocka_unit_test(test_a_zone_that_is_not_there_opens_nothing),
		cmocka_unit_test(test_settings),
	};

	if (!realpath("out/hostroot/usr/share/zoneinfo", zones))
		return 1;
	window_zones = zones;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
