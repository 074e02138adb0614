/* Maintenance windows: on which days, from when, for how long, on whose clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { WINDOWS_MAX = 16, ZONE_NAME_MAX = 64 };

struct window {
	unsigned days;        /* bit 0 is Monday: on which it begins */
	int start_minute;     /* of the day, on the zone's clock */
	int64_t length_s;     /* at most a day */
	char zone[ZONE_NAME_MAX];
};

struct windows {
	unsigned count;       /* 0: always open */
	struct window rows[WINDOWS_MAX];
};

struct window_look {
	bool open;
	int64_t until_s;      /* Unix time at which that changes; 0: never */
};

/* Another one in tests. */
extern const char *window_zones;

/* A window begins when the zone's clock first shows its start (where an hour is shown twice, the
 * first time; where it is left out, at the moment of the leap), and is open for its whole length,
 * whatever the clock does meanwhile. -ENOENT: there is no such zone. */
int windows_look(const struct windows *w, int64_t now_s, struct window_look *out, struct err *e);
