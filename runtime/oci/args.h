/* Command-line options, one row each. As with runc, options end at the first other word. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct arg {
	const char *name; /* "pid-file"; NULL ends the table */
	char letter;	  /* 0: none */
	bool *flag;	  /* an option without a value ... */
	const char **text; /* ... or with one */
	const char *help;
};

/* Returns the index of the first word that is no option, or -errno. argv[0] is skipped. */
int args_parse(const struct arg *rows, int argc, char **argv, struct err *e);

/* A whole number with nothing after it. 0 or -EINVAL. */
int args_number(const char *text, long min, long max, long *out);
