#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *host_override;

bool cli_names_only;

const char *cli_host(void)
{
	const char *env = getenv("DOCKER_HOST");

	if (host_override)
		return host_override;
	return env && *env ? env : "unix:///run/berth/engine.sock";
}

void cli_set_host(const char *host)
{
	host_override = host;
}

int cli_fail(const struct err *e)
{
	fprintf(stderr, "berth: %s\n", e->text);
	return EXIT_FAILED;
}

bool cli_sure(const char *what)
{
	int c;

	printf("WARNING! This will remove all %s.\nAre you sure you want to continue? [y/N] ", what);
	fflush(stdout);
	c = getchar();
	return c == 'y' || c == 'Y';
}

int cli_number(const char *name, const char *text, long max, long *out, struct err *e)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 0 || n > max)
		return err_set(e, -EINVAL, "--%s \"%s\": expected a number from 0 to %ld", name, text,
			       max);
	*out = n;
	return 0;
}

static bool is_refused(const struct cli_option *o)
{
	return !o->flag && !o->text && !o->list;
}

static void print_help(const struct cli_command *c, const struct cli_option *options, size_t count)
{
	for (size_t i = 0; cli_names_only && i < count; i++)
		printf("--%s\n", options[i].name);
	if (cli_names_only)
		return;
	printf("Usage:  berth %s %s\n\n%s\n", c->name, c->arguments, c->summary);
	if (!count)
		return;
	printf("\nOptions:\n");
	for (size_t i = 0; i < count; i++) {
		const struct cli_option *o = &options[i];
		char left[64];

		if (is_refused(o))
			continue;
		snprintf(left, sizeof(left), "%s%c%s --%s%s%s", o->letter ? "-" : " ",
			 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
			 o->value ? " " : "", o->value ? o->value : "");
		printf("  %-24s %s\n", left, o->help);
	}
}

static const struct cli_option *find_long(const struct cli_option *options, size_t count,
					  const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(options[i].name) == len && !strncmp(options[i].name, name, len))
			return &options[i];
	return NULL;
}

static const struct cli_option *find_letter(const struct cli_option *options, size_t count, char c)
{
	for (size_t i = 0; i < count; i++)
		if (options[i].letter == c && !is_refused(&options[i]))
			return &options[i];
	return NULL;
}

static int usage_error(const struct cli_command *c, const char *what, const char *which)
{
	fprintf(stderr, "berth %s: %s%s\nSee 'berth %s --help'.\n", c->name, what, which, c->name);
	return -1;
}

static int store(const struct cli_command *c, const struct cli_option *o, const char *value)
{
	if (o->text)
		*o->text = value;
	else if (o->list->count == CLI_LIST_MOST)
		return usage_error(c, "given too often: --", o->name);
	else
		o->list->items[o->list->count++] = value;
	return 0;
}

/* "--name", "--name=value" or "--name value". Returns how many words it took, or -1. */
static int take_long(const struct cli_command *c, const struct cli_option *options, size_t count,
		     char *word, char *next)
{
	char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct cli_option *o = find_long(options, count, word + 2, len - 2);

	if (!o)
		return usage_error(c, "unknown flag: ", word);
	if (is_refused(o)) {
		fprintf(stderr, "berth %s: --%s is not supported: %s\n", c->name, o->name, o->help);
		return -1;
	}
	if (o->flag) {
		*o->flag = !equals || !strcmp(equals + 1, "true");
		return 1;
	}
	if (!equals && !next)
		return usage_error(c, "flag needs a value: ", word);
	if (store(c, o, equals ? equals + 1 : next) < 0)
		return -1;
	return equals ? 1 : 2;
}

/* "-aq", "-n5" or "-n 5". */
static int take_letters(const struct cli_command *c, const struct cli_option *options, size_t count,
			char *word, char *next)
{
	for (char *p = word + 1; *p; p++) {
		const struct cli_option *o = find_letter(options, count, *p);

		if (!o)
			return usage_error(c, "unknown shorthand flag in ", word);
		if (o->flag) {
			*o->flag = true;
			continue;
		}
		if (!p[1] && !next)
			return usage_error(c, "flag needs a value: ", word);
		if (store(c, o, p[1] ? p + 1 : next) < 0)
			return -1;
		return p[1] ? 1 : 2;
	}
	return 1;
}

/* A wrong number of arguments ends with 1 and an unknown option with 125, as with docker. */
static int check_count(const struct cli_command *c, int n, int *exit_code)
{
	if (n >= c->min_args && (c->max_args < 0 || n <= c->max_args))
		return n;
	fprintf(stderr, "berth %s: expected %s%d argument%s, found %d\nUsage:  berth %s %s\n", c->name,
		c->max_args < 0 ? "at least " : n > c->max_args ? "at most " : "",
		n < c->min_args ? c->min_args : c->max_args,
		(n < c->min_args ? c->min_args : c->max_args) == 1 ? "" : "s", n, c->name, c->arguments);
	*exit_code = EXIT_FAILED;
	return -1;
}

int cli_options(const struct cli_command *c, const struct cli_option *options, size_t count,
		int argc, char **argv, char **args, int *exit_code)
{
	int n = 0;

	*exit_code = EXIT_USAGE;
	for (int i = 1; i < argc;) {
		char *next = i + 1 < argc ? argv[i + 1] : NULL;
		int took;

		if (!strcmp(argv[i], "--") || (n && c->max_args == CLI_PROGRAM)) {
			i += !strcmp(argv[i], "--");
			while (i < argc)
				args[n++] = argv[i++];
			break;
		}
		if (!strcmp(argv[i], "--help") ||
		    (!strcmp(argv[i], "-h") && !find_letter(options, count, 'h'))) {
			print_help(c, options, count);
			*exit_code = EXIT_OK;
			return -1;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			args[n++] = argv[i++];
			continue;
		}
		took = argv[i][1] == '-' ? take_long(c, options, count, argv[i], next)
					 : take_letters(c, options, count, argv[i], next);
		if (took < 0)
			return -1;
		i += took;
	}
	return check_count(c, n, exit_code);
}
