/* Clocks in the units that the rest of Berth speaks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int64_t clock_boot_ms(void);    /* since the kernel started, suspend included */
int64_t clock_wall_ns(void);    /* Unix time */

enum { CLOCK_RFC3339_MAX = 40 };

/* "2026-11-23T23:15:00.123456789Z", as docker writes it. Returns `out`. */
char *clock_rfc3339(int64_t wall_ns, char out[CLOCK_RFC3339_MAX]);
