#include "update/rollout.h"

#include <string.h>

#include "base/sha256.h"

/* Of 2^32: evenly spread, and different for each version. */
static uint32_t own_place(const char *machine_id, const char *version)
{
	unsigned char sum[SHA256_SIZE];
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, machine_id, strlen(machine_id) + 1); /* with its NUL, which parts the two */
	sha256_add(&s, version, strlen(version));
	sha256_end(&s, sum);
	return (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3];
}

int64_t rollout_turn(const struct rollout *r, const char *machine_id, const char *version,
		     int wariness_ppm)
{
	if (r->length_s == 0)
		return 0;
	if (wariness_ppm == ROLLOUT_OWN)
		return r->begin_s + (r->length_s * (int64_t)own_place(machine_id, version) >> 32);
	return r->begin_s + r->length_s * wariness_ppm / ROLLOUT_PPM;
}
