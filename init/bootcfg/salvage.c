#include "bootcfg/salvage.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"

enum { LINE_MAX_LOOKED_AT = 8192, KEYS_MAX = 200 };

static const char heading[] = "ssh_authorized_keys:";

/* Cuts blanks, a list's dash, a comma, brackets and quotes from both ends of a line, in place. */
static char *bare_key(char *line)
{
	size_t len;

	line += strspn(line, " \t-[\"'");
	len = strlen(line);
	while (len && strchr(" \t\r,]\"'", line[len - 1]))
		line[--len] = '\0';
	return line;
}

static void take_key(yyjson_mut_doc *doc, yyjson_mut_val *keys, const char *start, size_t len)
{
	char line[LINE_MAX_LOOKED_AT];
	char *key;

	if (len >= sizeof(line) || memchr(start, 0, len))
		return;
	memcpy(line, start, len);
	line[len] = '\0';
	key = bare_key(line);
	if (*key != '#' && check_ssh_key(key) == NULL && yyjson_mut_arr_size(keys) < KEYS_MAX)
		yyjson_mut_arr_add_strcpy(doc, keys, key);
}

yyjson_mut_val *salvage_ssh_keys(yyjson_mut_doc *doc, const char *text, size_t len)
{
	yyjson_mut_val *keys = yyjson_mut_arr(doc);
	const char *end = text + len;
	bool inside = false;

	while (keys && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((newline ? newline : end) - text);
		size_t skip = 0;

		if (line >= sizeof(heading) - 1 &&
		    strncmp(text, heading, sizeof(heading) - 1) == 0) {
			inside = true;
			skip = sizeof(heading) - 1;
		} else if (line && !strchr("-# \t\r", *text)) {
			inside = false;
		}
		if (inside)
			take_key(doc, keys, text + skip, line - skip);
		text += line + 1;
	}
	return keys;
}
