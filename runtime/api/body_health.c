/* Healthcheck: docker's times are nanoseconds, and what is 0 is the image's. */
#include <errno.h>
#include <string.h>

#include "api/body.h"

enum { NS_PER_MS = 1000000 };

static int take_nanoseconds(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	int64_t ns = 0;
	int rc = take_int(b, &ns, v, e);

	if (rc < 0)
		return rc;
	if (ns && ns < NS_PER_MS)
		return err_set(e, -EINVAL, "cannot be less than 1ms");
	*(int64_t *)member = ns / NS_PER_MS;
	return 0;
}

static int take_retries(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	int rc = take_int(b, member, v, e);

	if (!rc && *(int64_t *)member < 0)
		return err_set(e, -EINVAL, "cannot be negative");
	return rc;
}

/* [] and [""] are the clients' words for "the image's". */
static int take_test(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return yyjson_is_arr(v) && body_is_empty(yyjson_arr_get_first(v)) ? 0 :
	       take_strings(b, member, v, e);
}

#define HEALTH(member) offsetof(struct spec_health, member)

static const struct body_key keys[] = {
	{ "Interval", take_nanoseconds, HEALTH(interval_ms) },
	{ "Retries", take_retries, HEALTH(retries) },
	{ "StartInterval", take_nanoseconds, HEALTH(start_interval_ms) },
	{ "StartPeriod", take_nanoseconds, HEALTH(start_period_ms) },
	{ "Test", take_test, HEALTH(test) },
	{ "Timeout", take_nanoseconds, HEALTH(timeout_ms) },
	{ NULL, NULL, 0 },
};

int take_health(struct body *b, void *member, yyjson_val *v, struct err *e)
{
	return body_walk(b, "Healthcheck.", v, keys, member, e);
}
