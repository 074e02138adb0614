#include <errno.h>
#include <string.h>

#include "pid1/service.h"

static bool comes_after(const struct service_def *def, const char *name)
{
	for (int k = 0; k < SERVICE_AFTER_MAX && def->after[k]; k++)
		if (!strcmp(def->after[k], name))
			return true;
	return false;
}

static bool is_row_above(const struct service_def *const *defs, size_t i, const char *name)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(defs[j]->name, name))
			return true;
	return false;
}

int service_table_check(const struct service_def *const *defs, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (is_row_above(defs, i, defs[i]->name))
			return err_set(e, -EINVAL, "service \"%s\" is there twice", defs[i]->name);
		for (int k = 0; k < SERVICE_AFTER_MAX && defs[i]->after[k]; k++)
			if (!is_row_above(defs, i, defs[i]->after[k]))
				return err_set(e, -EINVAL,
					       "service \"%s\" comes after \"%s\", which is no "
					       "row above it", defs[i]->name, defs[i]->after[k]);
	}
	return 0;
}

bool service_may_start(const struct service_def *const *defs, const bool *settled, size_t count,
		       size_t i)
{
	for (size_t j = 0; j < count; j++)
		if (!settled[j] && comes_after(defs[i], defs[j]->name))
			return false;
	return true;
}

bool service_may_stop(const struct service_def *const *defs, const bool *alive, size_t count,
		      size_t i)
{
	for (size_t j = 0; j < count; j++) {
		if (j == i || !alive[j])
			continue;
		/* The first ones wait for nobody, even if others come after them. */
		if (defs[i]->stop_first && !defs[j]->stop_first)
			continue;
		if (comes_after(defs[j], defs[i]->name))
			return false;
		if (defs[j]->stop_first && !defs[i]->stop_first)
			return false;
	}
	return true;
}
