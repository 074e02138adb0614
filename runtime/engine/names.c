/* Names for containers that were given none. */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "engine/internal.h"

enum { TRIES = 64 };

static const char *const how[] = {
	"bright", "brisk", "calm", "clear", "deep", "early", "fair", "fast", "fresh", "gentle",
	"glad", "grand", "green", "keen", "kind", "late", "light", "merry", "mild", "noble",
	"prompt", "proud", "quiet", "ready", "sharp", "steady", "still", "sunny", "swift", "tall",
	"warm", "young",
};

static const char *const what[] = {
	"anchor", "barge", "beacon", "bollard", "bow", "breeze", "buoy", "cabin", "canal", "captain",
	"channel", "cutter", "deck", "dock", "dory", "ferry", "gull", "harbour", "helm", "hull",
	"jetty", "keel", "lantern", "mast", "mooring", "pilot", "quay", "rudder", "sail", "sloop",
	"tide", "tug",
};

/* A digit more once the words alone were taken often, as docker does. */
int engine_free_name(const struct engine *en, char out[ENGINE_NAME_MAX])
{
	for (unsigned i = 0; i < TRIES; i++) {
		unsigned char dice[4];
		int len;

		if (getrandom(dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
			return -EIO;
		len = snprintf(out, ENGINE_NAME_MAX, "%s_%s", how[dice[0] % ARRAY_LEN(how)],
			       what[dice[1] % ARRAY_LEN(what)]);
		if (i >= TRIES / 4)
			snprintf(out + len, ENGINE_NAME_MAX - (size_t)len, "%u",
				 dice[2] * 256u + dice[3]);
		if (!container_named(en, out))
			return 0;
	}
	return -EEXIST;
}
