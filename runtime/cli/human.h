/* Numbers as docker shows them (docker/go-units: HumanDuration, HumanSize). */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { HUMAN_MAX = 48 };

/* "About a minute", "2 hours", "3 weeks". Returns `out`. */
char *human_duration(int64_t seconds, char out[HUMAN_MAX]);

/* "7.81MB": three significant digits, powers of 1000. Returns `out`. */
char *human_size(uint64_t bytes, char out[HUMAN_MAX]);

/* "94.5 MiB": powers of 1024, for memory and disks. Returns `out`. */
char *human_binary(uint64_t bytes, char out[HUMAN_MAX]);
