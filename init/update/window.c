#include "update/window.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 86400, DAYS_BACK = 2, DAYS_AHEAD = 8, WEEK = 7, EPOCH_WEEKDAY = 3 };

const char *window_zones = "/usr/share/zoneinfo";

/* The C library reads the zone's file; for all that follow. */
static int enter_zone(const char *name, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", window_zones, name);
	if (access(path, R_OK) < 0)
		return err_set(e, -ENOENT, "there is no time zone \"%s\"", name);
	if (setenv("TZ", path, 1) < 0)
		return err_sys(e, "set the time zone");
	tzset();
	return 0;
}

static int64_t clock_offset(int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm = { 0 };

	localtime_r(&when, &tm);
	return tm.tm_gmtoff;
}

/* When the zone's clock first shows `wall` (seconds, as if it were UTC). It changes at most once
 * between the two looks, a day before and a day after. */
static int64_t first_shown(int64_t wall)
{
	int64_t before = clock_offset(wall - DAY_S), after = clock_offset(wall + DAY_S);
	int64_t low = wall - (before > after ? before : after);
	int64_t high = wall - (before > after ? after : before);

	if (low + clock_offset(low) == wall)
		return low;
	if (high + clock_offset(high) == wall)
		return high;
	while (high - low > 1) { /* never shown: the leap lies between them */
		int64_t middle = low + (high - low) / 2;

		if (clock_offset(middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void add_opening(struct window_look *look, int64_t begin, int64_t end, int64_t now)
{
	if (begin <= now && now < end) {
		/* Of two that overlap the one that ends later counts. */
		look->until_s = look->open && look->until_s > end ? look->until_s : end;
		look->open = true;
	} else if (!look->open && begin > now && (!look->until_s || begin < look->until_s)) {
		look->until_s = begin;
	}
}

static int look_at(const struct window *w, int64_t now, struct window_look *look, struct err *e)
{
	int64_t shown, today;
	int rc = enter_zone(w->zone, e);

	if (rc < 0)
		return rc;
	shown = now + clock_offset(now);
	today = shown / DAY_S - (shown % DAY_S < 0);
	for (int64_t day = today - DAYS_BACK; day <= today + DAYS_AHEAD; day++) {
		int64_t begin;

		if (!(w->days & (1u << ((day % WEEK + WEEK + EPOCH_WEEKDAY) % WEEK))))
			continue;
		begin = first_shown(day * DAY_S + w->start_minute * 60);
		add_opening(look, begin, begin + w->length_s, now);
	}
	return 0;
}

int windows_look(const struct windows *w, int64_t now_s, struct window_look *out, struct err *e)
{
	struct window_look look = { .open = w->count == 0 };

	for (unsigned i = 0; i < w->count; i++) {
		int rc = look_at(&w->rows[i], now_s, &look, e);

		if (rc < 0)
			return rc;
	}
	*out = look;
	return 0;
}
