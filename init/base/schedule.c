#include "base/schedule.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"

enum {
	FIELDS = 5,
	TEXT_MAX = 128,
	EVERY_MIN_S = 10,
	EVERY_MAX_S = 366 * 86400,
	/* Eight years: a 29th of February is in them even around 2100. */
	DAYS_AHEAD = 8 * 366,
};

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
					   "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct field {
	const char *name;
	int low, high;
	const char *const *words; /* of low, low + 1 ...; NULL: numbers alone */
} fields[FIELDS] = {
	{ "minute", 0, 59, NULL },
	{ "hour", 0, 23, NULL },
	{ "day", 1, 31, NULL },
	{ "month", 1, 12, month_names },
	{ "weekday", 0, 7, day_names }, /* 7 is Sunday, too */
};

static const struct {
	const char *word, *text;
} shorts[] = {
	{ "@hourly", "0 * * * *" },  { "@daily", "0 0 * * *" },
	{ "@weekly", "0 0 * * 0" },  { "@monthly", "0 0 1 * *" },
};

/* A number or a word of the field; *p goes behind it. -1: neither. */
static int read_value(const char **p, const struct field *f)
{
	char *end;
	long n;

	for (int i = 0; f->words && f->words[i]; i++)
		if (!strncasecmp(*p, f->words[i], 3)) {
			*p += 3;
			return f->low + i;
		}
	if (!isdigit((unsigned char)**p))
		return -1;
	n = strtol(*p, &end, 10);
	*p = end;
	return n < f->low || n > f->high ? -1 : (int)n;
}

/* "*", "5", "1-5", each with "/STEP". */
static bool read_item(const char **p, const struct field *f, uint64_t *bits)
{
	int first = f->low, last = f->high, step = 1;

	if (**p == '*') {
		(*p)++;
	} else {
		first = last = read_value(p, f);
		if (**p == '-') {
			(*p)++;
			last = read_value(p, f);
		} else if (**p == '/') {
			last = f->high;
		}
	}
	if (**p == '/') {
		char *end;

		step = isdigit((unsigned char)(*p)[1]) ? (int)strtol(*p + 1, &end, 10) : 0;
		if (step < 1 || step > f->high)
			return false;
		*p = end;
	}
	for (int i = first; first >= 0 && i <= last; i += step)
		*bits |= UINT64_C(1) << i;
	return first >= 0 && last >= first;
}

static bool read_field(const char *text, const struct field *f, uint64_t *bits)
{
	bool good;

	do
		good = read_item(&text, f, bits);
	while (good && *text == ',' && text++);
	return good && !*text;
}

static int read_every(const char *text, struct schedule *out, struct err *e)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end = (char *)text;
	int64_t n = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : 0;

	for (size_t i = 0; i < ARRAY_LEN(units) && n > 0 && n <= EVERY_MAX_S; i++)
		if (*end == units[i].unit && !end[1])
			out->every_s = n * units[i].seconds;
	if (out->every_s < EVERY_MIN_S || out->every_s > EVERY_MAX_S)
		return err_set(e, -EINVAL, "\"%s\" is no time between runs: expected 10s to 366d, such as "
			       "\"every 6h\"", text);
	return 0;
}

static int read_fields(char *text, struct schedule *out, struct err *e)
{
	uint64_t *const bits[FIELDS] = { &out->minutes, &out->hours, &out->days, &out->months,
					 &out->weekdays };
	char *save = NULL, *words[FIELDS + 1] = { NULL };
	size_t n = 0;

	for (char *w = strtok_r(text, " \t", &save); w && n <= FIELDS; w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	if (n != FIELDS)
		return err_set(e, -EINVAL, "it is neither \"every ...\" nor \"@daily\", nor five fields: "
			       "minute hour day month weekday");
	for (size_t i = 0; i < FIELDS; i++)
		if (!read_field(words[i], &fields[i], bits[i]))
			return err_set(e, -EINVAL, "\"%s\" is no %s: expected %d to %d, \"*\", a range, a list or "
				       "a step", words[i], fields[i].name, fields[i].low, fields[i].high);
	out->weekdays |= out->weekdays >> 7 & 1;
	out->any_day = words[2][0] == '*';
	out->any_weekday = words[4][0] == '*';
	return 0;
}

int schedule_parse(const char *text, struct schedule *out, struct err *e)
{
	struct schedule s = { 0 };
	char copy[TEXT_MAX];
	int code;

	for (size_t i = 0; i < ARRAY_LEN(shorts); i++)
		if (!strcmp(text, shorts[i].word))
			text = shorts[i].text;
	if (strlen(text) >= sizeof(copy))
		return err_set(e, -EINVAL, "a schedule is %d characters at most", TEXT_MAX - 1);
	code = !strncmp(text, "every ", 6) ? read_every(text + 6, &s, e) :
					     read_fields(strcpy(copy, text), &s, e);
	if (code == 0)
		*out = s;
	return code;
}

static bool has_bit(uint64_t bits, int i)
{
	return bits >> i & 1;
}

static bool day_matches(const struct schedule *s, const struct tm *tm)
{
	bool day = has_bit(s->days, tm->tm_mday), weekday = has_bit(s->weekdays, tm->tm_wday);

	if (!has_bit(s->months, tm->tm_mon + 1))
		return false;
	/* cron's rule: of two that were said either is enough. */
	return s->any_day || s->any_weekday ? day && weekday : day || weekday;
}

/* The first time of the day that is later than `after`; -1: none. */
static int64_t first_of_day(const struct schedule *s, const struct tm *day, int64_t after)
{
	for (int minute = 0; minute < 24 * 60; minute++) {
		struct tm tm = { .tm_year = day->tm_year, .tm_mon = day->tm_mon, .tm_mday = day->tm_mday,
				 .tm_hour = minute / 60, .tm_min = minute % 60, .tm_isdst = -1 };
		int64_t t;

		if (!has_bit(s->hours, minute / 60) || !has_bit(s->minutes, minute % 60))
			continue;
		t = mktime(&tm);
		if (t > after)
			return t;
	}
	return -1;
}

int64_t schedule_next(const struct schedule *s, int64_t after_s)
{
	time_t start = (time_t)after_s;
	struct tm day = { 0 };

	if (s->every_s)
		return after_s + s->every_s;
	localtime_r(&start, &day);
	for (int i = 0; i < DAYS_AHEAD; i++) {
		struct tm noon = { .tm_year = day.tm_year, .tm_mon = day.tm_mon, .tm_mday = day.tm_mday + i,
				   .tm_hour = 12, .tm_isdst = -1 };
		int64_t t;

		if (mktime(&noon) == -1 || !day_matches(s, &noon))
			continue;
		t = first_of_day(s, &noon, after_s);
		if (t >= 0)
			return t;
	}
	return -1;
}
