/* A version's roll-out: it reaches the machines of a fleet one after the other. Who signs the
 * channel's text says when it begins and how long it takes. */
#pragma once

#include <stdint.h>

struct rollout {
	int64_t begin_s;  /* Unix time */
	int64_t length_s; /* 0: all at once, now */
};

enum { ROLLOUT_LENGTH_MAX_S = 366 * 86400, ROLLOUT_PPM = 1000000, ROLLOUT_OWN = -1 };

/* This machine's turn, Unix time; 0: at once. A machine's place is a number made of its id and the
 * version, so that it stays the same for one version and it is not always the same machines that
 * go first. `wariness_ppm` is the place instead, unless it is ROLLOUT_OWN. */
int64_t rollout_turn(const struct rollout *r, const char *machine_id, const char *version,
		     int wariness_ppm);
