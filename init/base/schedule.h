/* When something is due again: "every 15m", or the five fields of cron on the machine's clock (TZ,
 * else /etc/localtime).
 * Source: crontab(5): minute hour day month weekday; with both days given either is enough. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct schedule {
	int64_t every_s; /* 0: the fields count */
	uint64_t minutes, hours, days, months, weekdays; /* bits; bit 0 of weekdays is Sunday */
	bool any_day, any_weekday;
};

/* -EINVAL with what was found and what was expected. */
int schedule_parse(const char *text, struct schedule *out, struct err *e);

/* The first time after `after_s` (Unix time) that it is due; -1: never (a 30th of February). A time
 * that the clock leaps over is due when it has leapt; an hour that it shows twice counts once. */
int64_t schedule_next(const struct schedule *s, int64_t after_s);
