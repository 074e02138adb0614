#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"

int parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;
	long long value;

	if (*digits < '0' || *digits > '9')
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* Digits, and up to nine decimals in billionths. Returns the rest of the text, NULL if it does
 * not begin with a number. */
static const char *parse_decimal(const char *text, int64_t *whole, int64_t *billionths)
{
	int64_t unit = 100000000;

	*whole = *billionths = 0;
	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (*whole > INT64_MAX / 10 - 9)
			return NULL;
		*whole = *whole * 10 + (*text - '0');
	}
	if (*text != '.')
		return text;
	for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
		*billionths += unit * (*text - '0');
	return text;
}

static int scale(int64_t whole, int64_t billionths, int64_t unit, int64_t *out)
{
	int64_t part = (int64_t)((double)billionths * (double)unit / 1e9);

	if (whole > INT64_MAX / unit - 1)
		return -ERANGE;
	*out = whole * unit + part;
	return 0;
}

/* Compose's and docker's units: powers of 1024, with or without a "b" or "ib" behind. */
int parse_bytes(const char *text, int64_t *out)
{
	static const char letters[] = "bkmgt";
	int64_t whole, billionths, unit = 1;
	const char *rest = parse_decimal(text, &whole, &billionths);
	const char *letter;

	if (!rest)
		return -EINVAL;
	if (*rest == ' ')
		rest++;
	if (*rest) {
		letter = strchr(letters, *rest | 0x20);
		if (!letter)
			return -EINVAL;
		for (ptrdiff_t i = letter - letters; i > 0; i--)
			unit *= 1024;
		rest++;
		if (unit > 1 && strcasecmp(rest, "b") != 0 && strcasecmp(rest, "ib") != 0 && *rest)
			return -EINVAL;
		if (unit == 1 && *rest)
			return -EINVAL;
	}
	return scale(whole, billionths, unit, out);
}

yyjson_mut_val *read_bool(struct walk *w, const struct type *t, const struct node *n,
			  struct err *why)
{
	static const char *const yes[] = { "true", "yes", "on", "y" };
	static const char *const no[] = { "false", "no", "off", "n" };

	(void)t, (void)why;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcasecmp(n->text, yes[i]) == 0)
			return yyjson_mut_bool(w->doc, true);
		if (strcasecmp(n->text, no[i]) == 0)
			return yyjson_mut_bool(w->doc, false);
	}
	return NULL;
}

yyjson_mut_val *read_int(struct walk *w, const struct type *t, const struct node *n,
			 struct err *why)
{
	int64_t value;

	(void)why; /* `expected` names the range */
	if (parse_int(n->text, t->min, t->max, &value) < 0)
		return NULL;
	return yyjson_mut_sint(w->doc, value);
}

yyjson_mut_val *read_bytes(struct walk *w, const struct type *t, const struct node *n,
			   struct err *why)
{
	int64_t value;

	if (parse_bytes(n->text, &value) < 0)
		return NULL;
	if (value >= t->min)
		return yyjson_mut_sint(w->doc, value);
	err_set(why, -ERANGE, "it must be more than 0");
	return NULL;
}

yyjson_mut_val *read_bytes_or_unlimited(struct walk *w, const struct type *t,
					const struct node *n, struct err *why)
{
	if (strcmp(n->text, "-1") == 0)
		return yyjson_mut_sint(w->doc, -1);
	return read_bytes(w, t, n, why);
}

/* The unit that the text begins with, in nanoseconds; longer names first. */
static int64_t duration_unit(const char **text)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{ "ns", 1 },	      { "us", 1000 },	    { "ms", 1000000 },
		{ "s", 1000000000 },  { "m", 60000000000 }, { "h", 3600000000000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(*text, units[i].name, len) == 0) {
			*text += len;
			return units[i].ns;
		}
	}
	return 0;
}

yyjson_mut_val *read_duration(struct walk *w, const struct type *t, const struct node *n,
			      struct err *why)
{
	const char *text = n->text;
	int64_t total = 0;

	(void)t;
	do {
		int64_t whole, billionths, unit, part;

		text = parse_decimal(text, &whole, &billionths);
		if (!text)
			return NULL;
		unit = duration_unit(&text);
		if (!unit) {
			err_set(why, -EINVAL, "a number needs its unit: s, m, h or ms");
			return NULL;
		}
		if (scale(whole, billionths, unit, &part) < 0 || total > INT64_MAX - part)
			return NULL;
		total += part;
	} while (*text);
	return yyjson_mut_sint(w->doc, total / 1000000);
}

yyjson_mut_val *read_cpus(struct walk *w, const struct type *t, const struct node *n,
			  struct err *why)
{
	int64_t whole, billionths, value;
	const char *rest = parse_decimal(n->text, &whole, &billionths);

	(void)t;
	if (!rest || *rest || scale(whole, billionths, 1000000000, &value) < 0)
		return NULL;
	if (value >= 1000000)
		return yyjson_mut_sint(w->doc, value);
	err_set(why, -ERANGE, "it must be at least 0.001");
	return NULL;
}

yyjson_mut_val *read_octal(struct walk *w, const struct type *t, const struct node *n,
			   struct err *why)
{
	const char *text = n->text + (strncmp(n->text, "0o", 2) == 0 ? 2 : 0);
	size_t len = strspn(text, "01234567");

	(void)why;
	if (len == 0 || len > 8 || text[len])
		return NULL;
	if (strtol(text, NULL, 8) > t->max)
		return NULL;
	return yyjson_mut_sint(w->doc, strtol(text, NULL, 8));
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

char *text_without_dollars(const char *text, struct err *why)
{
	char *out = strdup(text), *to = out;

	for (const char *from = text; out && *from; from++) {
		if (*from == '$' && from[1] != '$') {
			err_set(why, -EINVAL, is_name_start(from[1]) || from[1] == '{' ?
				"there are no variables to fill in here; write \"$$\" for a dollar" :
				"write \"$$\" for a dollar");
			free(out);
			return NULL;
		}
		from += *from == '$';
		*to++ = *from;
	}
	if (out)
		*to = '\0';
	return out;
}

static bool is_word(const char *const *words, const char *text)
{
	for (; *words; words++)
		if (strcmp(*words, text) == 0)
			return true;
	return false;
}

yyjson_mut_val *read_text(struct walk *w, const struct type *t, const struct node *n,
			  struct err *why)
{
	autofree char *plain = t->dollars ? text_without_dollars(n->text, why) : NULL;
	const char *text = t->dollars ? plain : n->text;
	const char *reason;

	if (!text || (t->words && !is_word(t->words, text)))
		return NULL;
	reason = t->check ? t->check(text) : NULL;
	if (!reason)
		return walk_text(w, text, strlen(text));
	err_set(why, -EINVAL, "%s", reason);
	return NULL;
}
