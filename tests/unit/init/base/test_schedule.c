/* Schedules: rows of a text and the times at which it is due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/schedule.h"

/* From this moment on the first two; "-": never. */
static const struct {
	const char *text, *zone, *after, *first, *second;
} rows[] = {
	{ "* * * * *", "UTC", "2026-11-25 04:00", "2026-11-25 04:01", "2026-11-25 04:02" },
	{ "30 3 * * *", "UTC", "2026-11-25 03:29", "2026-11-25 03:30", "2026-11-26 03:30" },
	{ "30 3 * * *", "UTC", "2026-11-25 03:30", "2026-11-26 03:30", "2026-11-27 03:30" },
	{ "*/20 8-9 * * *", "UTC", "2026-11-25 08:30", "2026-11-25 08:40", "2026-11-25 09:00" },
	{ "5/30 0 * * *", "UTC", "2026-11-25 00:00", "2026-11-25 00:05", "2026-11-25 00:35" },
	{ "0 12 * * mon-fri", "UTC", "2026-11-27 12:00", "2026-11-30 12:00", "2026-12-01 12:00" },
	{ "0 0 * * 7", "UTC", "2026-11-25 00:00", "2026-11-29 00:00", "2026-12-06 00:00" },
	{ "0 0 1,15 * *", "UTC", "2026-11-25 00:00", "2026-12-01 00:00", "2026-12-15 00:00" },
	{ "0 0 13 * fri", "UTC", "2026-11-25 00:00", "2026-11-27 00:00", "2026-12-04 00:00" },
	{ "0 0 29 FEB *", "UTC", "2026-11-25 00:00", "2028-02-29 00:00", "2032-02-29 00:00" },
	{ "0 0 31 12 *", "UTC", "2026-12-31 00:00", "2027-12-31 00:00", "2028-12-31 00:00" },
	{ "0 0 30 2 *", "UTC", "2026-11-25 00:00", "-", "-" },
	{ "@daily", "UTC", "2026-11-25 04:00", "2026-11-26 00:00", "2026-11-27 00:00" },
	{ "@weekly", "UTC", "2026-11-25 04:00", "2026-11-29 00:00", "2026-12-06 00:00" },
	{ "every 6h", "UTC", "2026-11-25 04:00", "2026-11-25 10:00", "2026-11-25 16:00" },
	/* On the zone's clock: the leap of March, and the hour that October shows twice. */
	{ "30 3 * * *", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-11-25 00:00", "2026-11-25 02:30",
	  "2026-11-26 02:30" },
	{ "30 2 * * *", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-28 12:00", "2026-03-29 01:30",
	  "2026-03-30 00:30" },
	{ "0 3 * * *", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-24 12:00", "2026-10-25 02:00",
	  "2026-10-26 02:00" },
};

static int64_t read_time(const char *text)
{
	struct tm tm = { 0 };
	int64_t t;

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
	t = timegm(&tm);
	return t;
}

static void check_due(size_t i, int64_t due, const char *expected)
{
	char text[32] = "-";
	time_t t = (time_t)due;
	struct tm tm;

	if (due >= 0)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M", gmtime_r(&t, &tm));
	if (strcmp(text, expected) != 0)
		fail_msg("\"%s\": due at %s, expected %s", rows[i].text, text, expected);
}

static void test_when_it_is_due(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct schedule s;
		struct err e = { "" };
		int64_t first;

		setenv("TZ", rows[i].zone, 1);
		tzset();
		if (schedule_parse(rows[i].text, &s, &e) < 0)
			fail_msg("\"%s\": %s", rows[i].text, e.text);
		first = schedule_next(&s, read_time(rows[i].after));
		check_due(i, first, rows[i].first);
		check_due(i, first < 0 ? -1 : schedule_next(&s, first), rows[i].second);
	}
}

static const struct {
	const char *text, *said;
} bad[] = {
	{ "", "five fields" },
	{ "* * * *", "five fields" },
	{ "* * * * * *", "five fields" },
	{ "60 * * * *", "\"60\" is no minute: expected 0 to 59" },
	{ "* 24 * * *", "\"24\" is no hour" },
	{ "* * 0 * *", "\"0\" is no day" },
	{ "* * * 13 *", "\"13\" is no month" },
	{ "* * * * 8", "\"8\" is no weekday" },
	{ "* * * * monday", "\"monday\" is no weekday" },
	{ "5-1 * * * *", "\"5-1\" is no minute" },
	{ "*/0 * * * *", "\"*/0\" is no minute" },
	{ "*/ * * * *", "\"*/\" is no minute" },
	{ "1,,2 * * * *", "\"1,,2\" is no minute" },
	{ "-5 * * * *", "\"-5\" is no minute" },
	{ "99999999999999999999 * * * *", "is no minute" },
	{ "*/99999999999999999999 * * * *", "is no minute" },
	{ "@yearly", "five fields" },
	{ "every", "five fields" },
	{ "every 6", "\"6\" is no time between runs" },
	{ "every 5s", "expected 10s to 366d" },
	{ "every 999999999999999999d", "expected 10s to 366d" },
	{ "every 1h30m", "expected 10s to 366d" },
};

static void test_what_is_no_schedule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct schedule s;
		struct err e = { "" };

		if (schedule_parse(bad[i].text, &s, &e) == 0 || !strstr(e.text, bad[i].said))
			fail_msg("\"%s\" says \"%s\"", bad[i].text, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when_it_is_due),
		cmocka_unit_test(test_what_is_no_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
