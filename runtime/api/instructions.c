#include "api/instructions.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum { WORDS_MAX = 256 };

struct change {
	yyjson_mut_doc *doc;
	yyjson_mut_val *config;
	const char *name, *rest;
	struct err *e;
};

/* ---- words: quotes and backslashes as in a Dockerfile ---- */

struct words {
	char *items[WORDS_MAX];
	size_t count;
};

static void free_words(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->items[i]);
}

#define autowords __attribute__((cleanup(free_words)))

static const char *read_word(const char *at, struct buf *out)
{
	char quote = '\0';

	for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
		if (*at == quote)
			quote = '\0';
		else if (!quote && (*at == '"' || *at == '\''))
			quote = *at;
		else if (*at == '\\' && at[1] && quote != '\'')
			buf_addc(out, *++at);
		else
			buf_addc(out, *at);
	}
	return at;
}

static int split(const struct change *c, struct words *out)
{
	const char *at = c->rest;

	for (;;) {
		autobuf struct buf word = { 0 };

		at += strspn(at, " \t");
		if (!*at)
			return out->count ? 0 : err_set(c->e, -EINVAL, "%s requires at least one argument",
							c->name);
		if (out->count == WORDS_MAX)
			return err_set(c->e, -EINVAL, "%s: more than %d words", c->name, WORDS_MAX);
		at = read_word(at, &word);
		buf_adds(&word, "");
		out->items[out->count] = strdup(buf_text(&word));
		if (!out->items[out->count++])
			return err_set(c->e, -ENOMEM, "out of memory");
	}
}

/* ---- the config ---- */

static void put(struct change *c, const char *key, yyjson_mut_val *value)
{
	yyjson_mut_obj_put(c->config, yyjson_mut_strcpy(c->doc, key), value);
}

static yyjson_mut_val *list_of(struct change *c, const char *key)
{
	yyjson_mut_val *list = yyjson_mut_obj_get(c->config, key);

	if (yyjson_mut_is_arr(list))
		return list;
	list = yyjson_mut_arr(c->doc);
	put(c, key, list);
	return list;
}

static yyjson_mut_val *map_of(struct change *c, const char *key)
{
	yyjson_mut_val *map = yyjson_mut_obj_get(c->config, key);

	if (yyjson_mut_is_obj(map))
		return map;
	map = yyjson_mut_obj(c->doc);
	put(c, key, map);
	return map;
}

/* ["a","b"]; NULL: it is none, and so a line for the shell. */
static yyjson_mut_val *json_words(struct change *c)
{
	yyjson_doc *doc = yyjson_read(c->rest, strlen(c->rest), 0);
	yyjson_val *root = yyjson_doc_get_root(doc), *one;
	yyjson_mut_val *out = yyjson_is_arr(root) ? yyjson_mut_arr(c->doc) : NULL;
	size_t i, n;

	yyjson_arr_foreach(root, i, n, one) {
		if (!yyjson_is_str(one))
			out = NULL;
		if (out)
			yyjson_mut_arr_add_strcpy(c->doc, out, yyjson_get_str(one));
	}
	yyjson_doc_free(doc);
	return out;
}

static yyjson_mut_val *command(struct change *c)
{
	yyjson_mut_val *list = json_words(c);

	if (list)
		return list;
	list = yyjson_mut_arr(c->doc);
	yyjson_mut_arr_add_str(c->doc, list, "/bin/sh");
	yyjson_mut_arr_add_str(c->doc, list, "-c");
	yyjson_mut_arr_add_strcpy(c->doc, list, c->rest);
	return list;
}

/* ---- instructions ---- */

static int do_cmd(struct change *c)
{
	put(c, "Cmd", command(c));
	return 0;
}

static int do_entrypoint(struct change *c)
{
	put(c, "Entrypoint", command(c));
	return 0;
}

static int do_text(struct change *c)
{
	static const char *const keys[][2] = {
		{ "USER", "User" }, { "STOPSIGNAL", "StopSignal" },
	};
	autowords struct words words = { .count = 0 };
	int rc = split(c, &words);

	if (!rc && words.count > 1)
		return err_set(c->e, -EINVAL, "%s requires exactly one argument", c->name);
	for (size_t i = 0; !rc && i < ARRAY_LEN(keys); i++)
		if (!strcmp(keys[i][0], c->name))
			put(c, keys[i][1], yyjson_mut_strcpy(c->doc, words.items[0]));
	return rc;
}

static int do_workdir(struct change *c)
{
	const char *before = yyjson_mut_get_str(yyjson_mut_obj_get(c->config, "WorkingDir"));
	autobuf struct buf path = { 0 };

	if (!*c->rest)
		return err_set(c->e, -EINVAL, "WORKDIR requires exactly one argument");
	if (*c->rest != '/')
		buf_addf(&path, "%s/", before && strcmp(before, "/") ? before : "");
	buf_adds(&path, c->rest);
	put(c, "WorkingDir", yyjson_mut_strcpy(c->doc, buf_text(&path)));
	return 0;
}

/* The variable of this name, if it is there, goes: the last one counts. */
static void set_variable(struct change *c, const char *text)
{
	yyjson_mut_val *list = list_of(c, "Env"), *one;
	size_t len = strcspn(text, "="), i, n;

	yyjson_mut_arr_foreach(list, i, n, one) {
		const char *have = yyjson_mut_get_str(one);

		if (have && !strncmp(have, text, len) && have[len] == '=') {
			yyjson_mut_arr_replace(list, i, yyjson_mut_strcpy(c->doc, text));
			return;
		}
	}
	yyjson_mut_arr_add_strcpy(c->doc, list, text);
}

static void set_label(struct change *c, const char *text)
{
	size_t len = strcspn(text, "=");

	yyjson_mut_obj_put(map_of(c, "Labels"), yyjson_mut_strncpy(c->doc, text, len),
			   yyjson_mut_strcpy(c->doc, text + len + (text[len] == '=')));
}

/* "A=b C=d", or the older "A all of the rest". */
static int do_pairs(struct change *c, void (*set)(struct change *c, const char *text))
{
	autowords struct words words = { .count = 0 };
	autobuf struct buf one = { 0 };
	int rc = split(c, &words);

	if (!rc && !strchr(words.items[0], '=')) {
		if (words.count < 2)
			return err_set(c->e, -EINVAL, "%s must have two arguments", c->name);
		buf_addf(&one, "%s=%s", words.items[0],
			 c->rest + strlen(words.items[0]) + strspn(c->rest + strlen(words.items[0]), " \t"));
		set(c, buf_text(&one));
		return 0;
	}
	for (size_t i = 0; !rc && i < words.count; i++) {
		if (!strchr(words.items[i], '='))
			return err_set(c->e, -EINVAL, "Syntax error - can't find = in \"%.100s\". Must be of the "
				       "form: name=value", words.items[i]);
		set(c, words.items[i]);
	}
	return rc;
}

static int do_env(struct change *c)
{
	return do_pairs(c, set_variable);
}

static int do_label(struct change *c)
{
	return do_pairs(c, set_label);
}

static int do_expose(struct change *c)
{
	autowords struct words words = { .count = 0 };
	int rc = split(c, &words);

	for (size_t i = 0; !rc && i < words.count; i++) {
		char *end, port[40];
		long number = strtol(words.items[i], &end, 10);

		if (number < 1 || number > 65535 || (*end && strcmp(end, "/tcp") && strcmp(end, "/udp") &&
						    strcmp(end, "/sctp")))
			return err_set(c->e, -EINVAL, "invalid containerPort: %.100s", words.items[i]);
		snprintf(port, sizeof(port), "%ld%s", number, *end ? end : "/tcp");
		yyjson_mut_obj_put(map_of(c, "ExposedPorts"), yyjson_mut_strcpy(c->doc, port),
				   yyjson_mut_obj(c->doc));
	}
	return rc;
}

static void add_volume(struct change *c, const char *path)
{
	yyjson_mut_obj_put(map_of(c, "Volumes"), yyjson_mut_strcpy(c->doc, path),
			   yyjson_mut_obj(c->doc));
}

static int do_volume(struct change *c)
{
	autowords struct words words = { .count = 0 };
	yyjson_mut_val *list = json_words(c), *one;
	size_t i, n;
	int rc = list ? 0 : split(c, &words);

	yyjson_mut_arr_foreach(list, i, n, one)
		add_volume(c, yyjson_mut_get_str(one));
	for (i = 0; !rc && i < words.count; i++)
		add_volume(c, words.items[i]);
	return rc;
}

static int do_onbuild(struct change *c)
{
	yyjson_mut_arr_add_strcpy(c->doc, list_of(c, "OnBuild"), c->rest);
	return 0;
}

/* "30s", "1m30s", "500ms" in nanoseconds; -1: it is none. */
static int64_t duration(const char *text)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {
		{ "ms", 1000000 }, { "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
	};
	int64_t sum = 0;

	while (*text) {
		char *end;
		long number = strtol(text, &end, 10);
		size_t i = 0;

		while (i < ARRAY_LEN(units) && strncmp(end, units[i].unit, strlen(units[i].unit)))
			i++;
		if (end == text || number < 0 || number > 1000000 || i == ARRAY_LEN(units))
			return -1;
		sum += number * units[i].ns;
		text = end + strlen(units[i].unit);
	}
	return sum;
}

static int set_health_option(struct change *c, yyjson_mut_val *health, const char *option)
{
	static const char *const keys[][2] = {
		{ "--interval=", "Interval" }, { "--timeout=", "Timeout" },
		{ "--start-period=", "StartPeriod" }, { "--start-interval=", "StartInterval" },
		{ "--retries=", "Retries" },
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *value = option + strlen(keys[i][0]);
		int64_t number;

		if (strncmp(option, keys[i][0], strlen(keys[i][0])))
			continue;
		number = i == ARRAY_LEN(keys) - 1 ? strtol(value, NULL, 10) : duration(value);
		if (number < 0 || !*value)
			break;
		yyjson_mut_obj_add_int(c->doc, health, keys[i][1], number);
		return 0;
	}
	return err_set(c->e, -EINVAL, "HEALTHCHECK: \"%.100s\" is no option of it", option);
}

static int do_healthcheck(struct change *c)
{
	yyjson_mut_val *health = yyjson_mut_obj(c->doc), *test = yyjson_mut_arr(c->doc), *list, *one;
	const char *at = c->rest;
	size_t i, n;
	int rc = 0;

	while (!rc && !strncmp(at, "--", 2)) {
		autobuf struct buf word = { 0 };

		at = read_word(at, &word);
		at += strspn(at, " \t");
		rc = set_health_option(c, health, buf_text(&word));
	}
	if (rc < 0)
		return rc;
	if (!strcasecmp(at, "none")) {
		yyjson_mut_arr_add_str(c->doc, test, "NONE");
	} else if (!strncasecmp(at, "cmd ", 4)) {
		c->rest = at + 4 + strspn(at + 4, " \t");
		list = json_words(c);
		yyjson_mut_arr_add_str(c->doc, test, list ? "CMD" : "CMD-SHELL");
		yyjson_mut_arr_foreach(list, i, n, one)
			yyjson_mut_arr_add_strcpy(c->doc, test, yyjson_mut_get_str(one));
		if (!list)
			yyjson_mut_arr_add_strcpy(c->doc, test, c->rest);
	} else {
		return err_set(c->e, -EINVAL, "Unknown type \"%.40s\" in HEALTHCHECK (try CMD)", at);
	}
	yyjson_mut_obj_put(health, yyjson_mut_str(c->doc, "Test"), test);
	put(c, "Healthcheck", health);
	return 0;
}

static const struct {
	const char *name;
	int (*apply)(struct change *c);
} instructions[] = {
	{ "CMD", do_cmd },	     { "ENTRYPOINT", do_entrypoint }, { "ENV", do_env },
	{ "EXPOSE", do_expose },     { "HEALTHCHECK", do_healthcheck }, { "LABEL", do_label },
	{ "ONBUILD", do_onbuild },   { "STOPSIGNAL", do_text },	      { "USER", do_text },
	{ "VOLUME", do_volume },     { "WORKDIR", do_workdir },
};

int instruction_apply(yyjson_mut_doc *doc, yyjson_mut_val *config, const char *line, struct err *e)
{
	struct change c = { .doc = doc, .config = config, .e = e };
	size_t len;

	line += strspn(line, " \t");
	len = strcspn(line, " \t");
	c.rest = line + len + strspn(line + len, " \t");
	for (size_t i = 0; i < ARRAY_LEN(instructions); i++) {
		if (strlen(instructions[i].name) != len || strncasecmp(instructions[i].name, line, len))
			continue;
		c.name = instructions[i].name;
		return instructions[i].apply(&c);
	}
	return err_set(e, -EINVAL, "%.*s is not a valid change command", (int)(len < 40 ? len : 40), line);
}
