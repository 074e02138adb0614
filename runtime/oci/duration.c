#include "oci/duration.h"

#include <errno.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *name;
	double ms;
} units[] = {
	{ "ms", 1 }, { "us", 1e-3 }, { "ns", 1e-6 }, { "s", 1e3 }, { "m", 6e4 }, { "h", 3.6e6 },
};

static const double max_ms = 3.6e9;

/* 0: no unit is there. */
static double take_unit(const char **text)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(*text, units[i].name, len) != 0)
			continue;
		*text += len;
		return units[i].ms;
	}
	return 0;
}

int duration_parse(const char *text, int64_t *out_ms)
{
	double sum = 0;

	if (!*text)
		return -EINVAL;
	while (*text) {
		char number[32];
		size_t len = strspn(text, "0123456789.");
		double unit, value;
		char *end;

		if (!isdigit((unsigned char)text[0]) || len >= sizeof(number))
			return -EINVAL;
		memcpy(number, text, len);
		number[len] = '\0';
		value = strtod(number, &end);
		text += len;
		unit = take_unit(&text);
		if (*end || unit == 0)
			return -EINVAL;
		sum += value * unit;
		if (sum > max_ms)
			return -EINVAL;
	}
	*out_ms = (int64_t)sum;
	return 0;
}
