#include "api/human.h"

#include <stdio.h>
#include <string.h>

#include "engine/health.h"

char *human_duration(int64_t seconds, char out[HUMAN_DURATION_MAX])
{
	static const struct {
		int64_t below, unit;
		const char *text; /* without %: as it is */
	} steps[] = {
		{ 1, 1, "Less than a second" },
		{ 2, 1, "1 second" },
		{ 60, 1, "%lld seconds" },
		{ 120, 60, "About a minute" },
		{ 46 * 60, 60, "%lld minutes" },
		{ 90 * 60, 3600, "About an hour" },
		{ 48 * 3600, 3600, "%lld hours" },
		{ 14 * 86400, 86400, "%lld days" },
		{ 60 * 86400, 7 * 86400, "%lld weeks" },
		{ 2 * 365 * 86400, 30 * 86400, "%lld months" },
		{ INT64_MAX, 365 * 86400, "%lld years" },
	};
	size_t i = 0;

	while (seconds >= steps[i].below)
		i++;
	/* go-units rounds hours to the nearest, everything else down. */
	if (steps[i].unit == 3600)
		seconds += 1800;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(out, HUMAN_DURATION_MAX, steps[i].text, (long long)(seconds / steps[i].unit));
#pragma GCC diagnostic pop
	return out;
}

/* " (healthy)", " (health: starting)" or nothing. */
static void add_health(const struct container *c, char out[HUMAN_STATUS_MAX])
{
	size_t len = strlen(out);

	if (c->health)
		snprintf(out + len, HUMAN_STATUS_MAX - len,
			 c->health->status == HEALTH_STARTING ? " (health: %s)" : " (%s)",
			 health_name(c->health->status));
}

char *human_status(const struct container *c, int64_t now_ns, char out[HUMAN_STATUS_MAX])
{
	char up[HUMAN_DURATION_MAX], ago[HUMAN_DURATION_MAX];
	int64_t second = 1000000000;

	human_duration((now_ns - c->started_ns) / second, up);
	human_duration((now_ns - c->finished_ns) / second, ago);
	switch (c->state) {
	case STATE_CREATED:
	case STATE_STARTING:
		snprintf(out, HUMAN_STATUS_MAX, "Created");
		break;
	case STATE_RUNNING:
	case STATE_STOPPING:
		snprintf(out, HUMAN_STATUS_MAX, "Up %s", up);
		add_health(c, out);
		break;
	case STATE_PAUSED:
		snprintf(out, HUMAN_STATUS_MAX, "Up %s (Paused)", up);
		break;
	case STATE_RESTARTING:
		snprintf(out, HUMAN_STATUS_MAX, "Restarting (%lld) %s ago",
			 (long long)c->exit_code, ago);
		break;
	case STATE_EXITED:
		snprintf(out, HUMAN_STATUS_MAX, "Exited (%lld) %s ago", (long long)c->exit_code, ago);
		break;
	case STATE_DEAD:
	case STATE_COUNT:
		snprintf(out, HUMAN_STATUS_MAX, "Dead");
		break;
	}
	return out;
}
