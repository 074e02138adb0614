#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_boot_ms(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_wall_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

char *clock_rfc3339(int64_t wall_ns, char out[CLOCK_RFC3339_MAX])
{
	time_t sec = (time_t)(wall_ns / 1000000000);
	int64_t ns = wall_ns % 1000000000;
	struct tm tm = { 0 };
	char date[24];

	if (ns < 0) {
		ns += 1000000000;
		sec--;
	}
	gmtime_r(&sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, CLOCK_RFC3339_MAX, "%s.%09dZ", date, (int)ns);
	return out;
}
