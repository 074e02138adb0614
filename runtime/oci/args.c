#include "oci/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct arg *find(const struct arg *rows, const char *word, size_t len)
{
	for (; rows->name; rows++) {
		if (strlen(rows->name) == len && !strncmp(rows->name, word, len))
			return rows;
		if (len == 1 && rows->letter == word[0])
			return rows;
	}
	return NULL;
}

int args_parse(const struct arg *rows, int argc, char **argv, struct err *e)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		const char *word = argv[i] + (argv[i][1] == '-' ? 2 : 1);
		const char *value = strchr(word, '=');
		const struct arg *row;

		if (!strcmp(argv[i], "--"))
			return i + 1;
		row = find(rows, word, value ? (size_t)(value - word) : strlen(word));
		if (!row)
			return err_set(e, -EINVAL, "unknown option \"%s\"", argv[i]);
		if (row->flag) {
			*row->flag = !value || strcmp(value + 1, "false") != 0;
			continue;
		}
		if (!value && i + 1 >= argc)
			return err_set(e, -EINVAL, "option \"%s\" needs a value", argv[i]);
		*row->text = value ? value + 1 : argv[++i];
	}
	return i;
}

int args_number(const char *text, long min, long max, long *out)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max)
		return -EINVAL;
	*out = n;
	return 0;
}
