#include "oci/args.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
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

void args_print(const struct arg *rows)
{
	for (; rows->name; rows++) {
		char words[64];
		int len = snprintf(words, sizeof(words), "--%s%s", rows->name,
				   rows->flag ? "" : " VALUE");

		if (rows->letter)
			snprintf(words + len, sizeof(words) - (size_t)len, ", -%c", rows->letter);
		printf("  %-30s %s%s\n", words, rows->help, rows->list ? " (may be repeated)" : "");
	}
}

static int set(const struct arg *row, const char *value)
{
	if (row->list)
		return string_list_add(row->list, value);
	*row->text = value;
	return 0;
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
		if (!row && (!strcmp(word, "help") || !strcmp(word, "h"))) {
			args_print(rows);
			return ARGS_HELP;
		}
		if (!row)
			return err_set(e, -EINVAL, "unknown option \"%s\"", argv[i]);
		if (row->flag) {
			*row->flag = !value || strcmp(value + 1, "false") != 0;
			continue;
		}
		if (!value && i + 1 >= argc)
			return err_set(e, -EINVAL, "option \"%s\" needs a value", argv[i]);
		if (set(row, value ? value + 1 : argv[++i]) < 0)
			return err_set(e, -ENOMEM, "out of memory");
	}
	return i;
}

int args_number(const char *text, long long min, long long max, long long *out)
{
	char *end;
	long long n;

	/* strtoll would take spaces and a plus sign in front. */
	if (text[0] != '-' && !isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max)
		return -EINVAL;
	*out = n;
	return 0;
}
