/* Command-line options, one row each. As with runc, options end at the first other word. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "spec/record.h"

struct arg {
	const char *name; /* "pid-file"; NULL ends the table */
	char letter;	  /* 0: none */
	bool *flag;	  /* an option without a value, */
	const char **text; /* or with one, */
	struct string_list *list; /* or with one each time that it is given */
	const char *help;
};

#define ARG_FLAG(name, letter, to, help) { name, letter, to, NULL, NULL, help }
#define ARG_TEXT(name, letter, to, help) { name, letter, NULL, to, NULL, help }
#define ARG_LIST(name, letter, to, help) { name, letter, NULL, NULL, to, help }
#define ARG_END { NULL, 0, NULL, NULL, NULL, NULL }

enum { ARGS_HELP = -125 }; /* -ECANCELED: the rows were printed instead, there is no sentence */

/* Returns the index of the first word that is no option, or -errno. argv[0] is skipped.
 * --help and -h, if no row has them, print the rows. */
int args_parse(const struct arg *rows, int argc, char **argv, struct err *e);

void args_print(const struct arg *rows);

/* A whole number with nothing after it. 0 or -EINVAL. */
int args_number(const char *text, long long min, long long max, long long *out);
