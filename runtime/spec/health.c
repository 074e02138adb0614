#include "spec/health.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

enum { NS_PER_MS = 1000000 };
enum { INTERVAL_MS = 30000, TIMEOUT_MS = 30000, START_INTERVAL_MS = 5000, RETRIES = 3 };

static int copy(const struct string_list *from, size_t first, struct string_list *to)
{
	for (size_t i = first; i < from->count; i++)
		if (string_list_add(to, from->items[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* An image's times are its builder's word: what makes no sense is as if it were not there. */
static int64_t first_of(int64_t own, int64_t image, int64_t unit, int64_t normal)
{
	if (own)
		return own;
	return image / unit > 0 ? image / unit : normal;
}

static int make_argv(const struct image_config *image, struct health_plan *p)
{
	static const char *const shell[] = { "/bin/sh", "-c" };
	int rc = 0;

	if (!strcmp(p->test.items[0], "CMD"))
		return copy(&p->test, 1, &p->argv);
	if (image->Shell.count)
		rc = copy(&image->Shell, 0, &p->argv);
	for (size_t i = 0; !rc && !image->Shell.count && i < ARRAY_LEN(shell); i++)
		rc = string_list_add(&p->argv, shell[i]);
	return rc < 0 ? rc : string_list_add(&p->argv, p->test.items[1]);
}

/* An image may hold anything; of a kind that nobody knows there is no check, as with docker. */
static bool checks(const struct string_list *test)
{
	return test->count >= 2 &&
	       (!strcmp(test->items[0], "CMD") || !strcmp(test->items[0], "CMD-SHELL"));
}

int health_plan_make(const struct container_spec *spec, const struct image_config *image,
		     struct health_plan *out)
{
	const struct spec_health *own = &spec->healthcheck;
	const struct image_health *given = &image->Healthcheck;
	const struct string_list *test = own->test.count ? &own->test : &given->Test;
	struct health_plan p = {
		.interval_ms = first_of(own->interval_ms, given->Interval, NS_PER_MS, INTERVAL_MS),
		.timeout_ms = first_of(own->timeout_ms, given->Timeout, NS_PER_MS, TIMEOUT_MS),
		.start_period_ms = first_of(own->start_period_ms, given->StartPeriod, NS_PER_MS, 0),
		.start_interval_ms = first_of(own->start_interval_ms, given->StartInterval, NS_PER_MS,
					      START_INTERVAL_MS),
		.retries = first_of(own->retries, given->Retries, 1, RETRIES),
	};

	if (checks(test) && (copy(test, 0, &p.test) < 0 || make_argv(image, &p) < 0)) {
		health_plan_free(&p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void health_plan_free(struct health_plan *plan)
{
	string_list_free(&plan->test);
	string_list_free(&plan->argv);
	*plan = (struct health_plan){ 0 };
}
