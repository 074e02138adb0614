#include "engine/restart.h"

#include <string.h>

enum { FIRST_MS = 100, MOST_MS = 60 * 1000, STEADY_MS = 10 * 1000 };

enum policy { NO, ALWAYS, ON_FAILURE, UNLESS_STOPPED };

static enum policy parse(const struct spec_restart *p)
{
	static const char *const names[] = {
		[NO] = "no",
		[ALWAYS] = "always",
		[ON_FAILURE] = "on-failure",
		[UNLESS_STOPPED] = "unless-stopped",
	};

	for (int i = 0; p->policy && i <= UNLESS_STOPPED; i++)
		if (!strcmp(p->policy, names[i]))
			return (enum policy)i;
	return NO;
}

bool restart_wanted(const struct spec_restart *policy, const struct restart_facts *facts)
{
	switch (parse(policy)) {
	case ALWAYS:
	case UNLESS_STOPPED:
		return !facts->stopped_by_hand;
	case ON_FAILURE:
		return !facts->stopped_by_hand && facts->exit_code != 0 &&
		       (!policy->max_retries || facts->restarts < policy->max_retries);
	case NO:
		break;
	}
	return false;
}

bool restart_at_boot(const struct spec_restart *policy, const struct restart_facts *facts,
		     bool declared, bool was_running)
{
	enum policy kind = parse(policy);

	if (kind == ALWAYS)
		return true;
	if (facts->stopped_by_hand)
		return declared && kind != UNLESS_STOPPED;
	if (declared || kind == UNLESS_STOPPED)
		return true;
	return kind == ON_FAILURE && (was_running || facts->exit_code != 0);
}

int64_t restart_delay_ms(int64_t last_ms, int64_t ran_ms)
{
	if (ran_ms >= STEADY_MS || last_ms <= 0)
		return FIRST_MS;
	return last_ms * 2 < MOST_MS ? last_ms * 2 : MOST_MS;
}
