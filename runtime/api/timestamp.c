#include "api/timestamp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AGO_MOST = INT32_MAX }; /* seconds */

/* ".069205396" -> nanoseconds; `*text` moves past it. */
static int64_t fraction(const char **text)
{
	int64_t ns = 0, unit = 100000000;

	if (**text != '.')
		return 0;
	for ((*text)++; isdigit((unsigned char)**text); (*text)++, unit /= 10)
		ns += (**text - '0') * unit;
	return ns;
}

static int64_t zone_seconds(const char *text)
{
	int hours, minutes;

	if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d", &hours, &minutes) != 2)
		return 0;
	return (*text == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/* Unix seconds, and what is beyond them. */
static int64_t parse_rfc3339(const char *text, int64_t *ns)
{
	struct tm tm = { 0 };
	int used = 0;

	*ns = 0;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6 || !used)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	text += used;
	*ns = fraction(&text);
	return (int64_t)timegm(&tm) - zone_seconds(text);
}

int64_t timestamp_seconds(const char *rfc3339)
{
	int64_t ns;

	return rfc3339 ? parse_rfc3339(rfc3339, &ns) : 0;
}

/* Nanoseconds reach from 1970 to 2262; the year 1, which is Go's "none", is not among them. */
static int64_t nanoseconds(int64_t seconds, int64_t ns)
{
	return seconds <= 0 || seconds > INT64_MAX / 1000000000 - 1 ? 0 : seconds * 1000000000 + ns;
}

int64_t timestamp_parse(const char *text)
{
	int64_t seconds, ns;
	char *end;

	if (!text || !*text)
		return 0;
	if (strchr(text, 'T')) {
		seconds = parse_rfc3339(text, &ns);
		return nanoseconds(seconds, ns);
	}
	seconds = strtoll(text, &end, 10);
	text = end;
	return nanoseconds(seconds, fraction(&text));
}

int64_t timestamp_or_ago(const char *text, int64_t now_ns)
{
	static const char units[] = "smh";
	static const int64_t seconds[] = { 1, 60, 3600 };
	int64_t ago = 0;

	for (const char *p = text; *p;) {
		char *end;
		long long n = strtoll(p, &end, 10);
		const char *unit = *end ? strchr(units, *end) : NULL;

		if (end == p || !unit || n < 0 || n > AGO_MOST)
			return timestamp_parse(text);
		ago += n * seconds[unit - units];
		if (ago > AGO_MOST)
			return 0;
		p = end + 1;
	}
	return *text ? now_ns - ago * 1000000000 : 0;
}
