#include "cli/human.h"

#include <stdio.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 24 * HOUR, WEEK = 7 * DAY, MONTH = 30 * DAY,
       YEAR = 365 * DAY };

char *human_duration(int64_t s, char out[HUMAN_MAX])
{
	static const struct {
		int64_t below, unit;
		const char *name;
	} rows[] = {
		{ MINUTE, 1, "seconds" }, { HOUR, MINUTE, "minutes" }, { 2 * DAY, HOUR, "hours" },
		{ 2 * WEEK, DAY, "days" }, { 2 * MONTH, WEEK, "weeks" }, { 2 * YEAR, MONTH, "months" },
		{ INT64_MAX, YEAR, "years" },
	};
	/* go-units rounds hours, and cuts everything else. */
	int64_t hours = (s + HOUR / 2) / HOUR;

	if (s < 1)
		snprintf(out, HUMAN_MAX, "Less than a second");
	else if (s == 1)
		snprintf(out, HUMAN_MAX, "1 second");
	else if (s >= MINUTE && s < 2 * MINUTE)
		snprintf(out, HUMAN_MAX, "About a minute");
	else if (s >= HOUR && hours == 1)
		snprintf(out, HUMAN_MAX, "About an hour");
	else if (s >= HOUR && hours < 48)
		snprintf(out, HUMAN_MAX, "%lld hours", (long long)hours);
	else
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (s < rows[i].below) {
				snprintf(out, HUMAN_MAX, "%lld %s", (long long)(s / rows[i].unit),
					 rows[i].name);
				break;
			}
	return out;
}

char *human_size(uint64_t bytes, char out[HUMAN_MAX])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double n = (double)bytes;
	size_t i = 0;

	for (; n >= 1000 && i < sizeof(units) / sizeof(units[0]) - 1; i++)
		n /= 1000;
	snprintf(out, HUMAN_MAX, "%.3g%s", n, units[i]);
	return out;
}

char *human_binary(uint64_t bytes, char out[HUMAN_MAX])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double n = (double)bytes;
	size_t i = 0;

	for (; n >= 1024 && i < sizeof(units) / sizeof(units[0]) - 1; i++)
		n /= 1024;
	snprintf(out, HUMAN_MAX, n < 100 && i ? "%.1f %s" : "%.0f %s", n, units[i]);
	return out;
}
