#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/args.h"

static const struct {
	const char *line; /* words after the command, one space between them */
	int next;	  /* index of the first word that is left, or -errno */
	bool flag;
	const char *text, *list, *error;
} rows[] = {
	{ "", 1, false, NULL, "", "" },
	{ "id", 1, false, NULL, "", "" },
	{ "--flag --text x id", 4, true, "x", "", "" },
	{ "-f -t x id", 4, true, "x", "", "" },
	{ "-flag -text x", 4, true, "x", "", "" },
	{ "--flag=false --text=a=b id", 3, false, "a=b", "", "" },
	{ "-t=x -l A=1 -l=B=2 --list C=3 id -f", 7, false, "x", "A=1,B=2,C=3,", "" },
	{ "id --flag", 1, false, NULL, "", "" },
	{ "--flag -- --text", 3, true, NULL, "", "" },
	{ "- --flag", 1, false, NULL, "", "" },
	{ "--text", -EINVAL, false, NULL, "", "option \"--text\" needs a value" },
	{ "--fla", -EINVAL, false, NULL, "", "unknown option \"--fla\"" },
	{ "-x id", -EINVAL, false, NULL, "", "unknown option \"-x\"" },
	{ "--text -- id", 3, false, "--", "", "" },
};

static int split(const char *line, char *copy, char **argv)
{
	int argc = 0;
	char *rest = NULL;

	strcpy(copy, line);
	argv[argc++] = "command";
	for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
		argv[argc++] = w;
	argv[argc] = NULL;
	return argc;
}

static void options(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct string_list list = { 0 };
		const char *text = NULL;
		bool flag = false;
		const struct arg args[] = {
			ARG_FLAG("flag", 'f', &flag, ""),
			ARG_TEXT("text", 't', &text, ""),
			ARG_LIST("list", 'l', &list, ""),
			ARG_END,
		};
		char copy[128], joined[128] = "", *argv[16];
		int argc = split(rows[i].line, copy, argv);
		struct err e = { 0 };

		assert_int_equal(args_parse(args, argc, argv, &e), rows[i].next);
		assert_string_equal(e.text, rows[i].error);
		for (size_t k = 0; k < list.count; k++)
			strcat(strcat(joined, list.items[k]), ",");
		assert_string_equal(joined, rows[i].list);
		assert_int_equal(flag, rows[i].flag);
		if (rows[i].text)
			assert_string_equal(text, rows[i].text);
		else
			assert_null(text);
		string_list_free(&list);
	}
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		int rc;
		long long value;
	} cases[] = {
		{ "0", 0, 0 },	    { "77", 0, 77 },	  { "-5", 0, -5 },     { "100", 0, 100 },
		{ "101", -EINVAL, 0 }, { "-6", -EINVAL, 0 }, { "", -EINVAL, 0 },  { " 1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 }, { "1 ", -EINVAL, 0 },  { "0x1", -EINVAL, 0 }, { "-", -EINVAL, 0 },
		{ "99999999999999999999", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		long long value = 0;

		assert_int_equal(args_number(cases[i].text, -5, 100, &value), cases[i].rc);
		assert_int_equal(value, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
