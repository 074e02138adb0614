#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/complete.h"

static int ran;

static int run(const struct cli_command *self, int argc, char **argv)
{
	(void)self;
	assert_int_equal(argc, 2);
	assert_string_equal(argv[1], "--help");
	assert_true(cli_names_only);
	ran++;
	return 0;
}

static const struct cli_command logs = { "logs", "[OPTIONS] [CONTAINER|kernel]", "", 0, 1, run };
static const struct cli_command config = { "config", "check FILE | show", "", 1, 2, run };
static const struct cli_command toolbox = { "toolbox", "kernel", "", 0, CLI_PROGRAM, run };
static const struct cli_command sys = { "system", "dial-stdio", "", 1, 1, run };
static const struct cli_command *const commands[] = { &logs, &config, &toolbox, &sys, NULL };

/* No engine answers here: containers have no names. */
static void lines(void **state)
{
	static const struct {
		const char *line, *words;
	} rows[] = {
		{ "berth ", "logs\nconfig\ntoolbox\nsystem\n" },
		{ "berth lo", "logs\nconfig\ntoolbox\nsystem\n" },
		{ "berth logs ", "kernel\n" },
		{ "docker  logs  -f ke", "kernel\n" },
		{ "berth config ", "check\nshow\ndiff\napply\nedit\nconfirm\nforget\n"
				    "explain\nschema\n" },
		{ "berth config check ", "" }, /* files are the shell's */
		{ "berth system ", "dial-stdio\n" }, /* of docker's the one that is there */
		{ "berth toolbox ", "kernel\n" },
		{ "berth toolbox ls ", "" },
		{ "berth nothing ", "" },
		{ "berth", "" },
		{ "", "" },
	};

	(void)state;
	cli_set_host("unix:///nowhere");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = NULL;
		size_t len = 0;
		FILE *to = open_memstream(&text, &len);

		complete(rows[i].line, commands, to);
		fclose(to);
		assert_string_equal(text, rows[i].words);
		free(text);
	}
	assert_int_equal(ran, 0);
}

static void options_are_asked_of_the_command(void **state)
{
	(void)state;
	complete("berth logs -", commands, stdout);
	complete("berth logs --fol", commands, stdout);
	assert_int_equal(ran, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(options_are_asked_of_the_command),
	};

	return cmocka_run_group_tests_name("complete", tests, NULL, NULL);
}
